"""Connections over which no request comes are closed: uvicorn would keep them for ever.

One that begins a request and never ends its head, or says nothing at all, costs a file descriptor,
of which a process has few.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import h11

#: Seconds in which the head of a request has to come.
HEAD_S = 20.0


class HeadTimeout:
    """Knows since when connections have waited for a request.

    Parameters
    ----------
    seconds
        For how long they may.
    clock
        Seconds, for tests.
    """

    def __init__(
        self, seconds: float = HEAD_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        #: By connection: its last request, and since when it has waited for another.
        self._waiting: WeakKeyDictionary[Any, tuple[Any, float]] = WeakKeyDictionary()

    def close_waiting(self, connections: Iterable[Any]) -> int:
        """Close those whose time is up; return how many.

        Parameters
        ----------
        connections
            uvicorn's protocols; WebSockets are let alone.
        """
        closed, now = 0, self._clock()
        for one in list(connections):
            conn = getattr(one, "conn", None)
            if not isinstance(conn, h11.Connection) or conn.their_state is not h11.IDLE:
                self._waiting.pop(one, None)
                continue
            last, since = self._waiting.get(one, (None, now))
            if one not in self._waiting or last is not one.cycle:
                self._waiting[one] = one.cycle, now
            elif now - since > self._seconds:
                one.transport.abort()
                closed += 1
        return closed


def allow_many_files() -> None:
    """Let this process have as many connections as the system lets it ask for."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
