"""Who may use the server: leases with an end, and what each of them holds.

A lease is known by a token that nobody can guess. It ends when its client says so, does nothing for
long, or shows no sign of life. What it held counts as free at once. To free it takes a while, since
caches may have files on a slow disk: that is for a thread of its own (`Leases.left_behind`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

import numpy as np

from voxtrail.serve.failures import Refused
from voxtrail.serve.model_worker import Job
from voxtrail.serve.remote.annotation import Annotation
from voxtrail.serve.remote.budget import Budget, full

#: Seconds without anything done after which a lease ends, and without any sign of life.
IDLE_S, LIVENESS_S = 600.0, 60.0
#: Of a client that shows none.
SILENT_S = inf


@dataclass(eq=False)
class Lease:
    """What one client holds.

    Parameters
    ----------
    token
        What it is known by.
    idle_s, liveness_s
        When it ends.
    seen, acted
        When its client showed a sign of life, and did something.

    Attributes
    ----------
    serial
        Held by the request that works on it: they take turns.
    annotation
        The scan and the object, once there is one.
    target_dtype
        What masks are sent as.
    job
        The propagation under way.
    held
        Bytes of the budget that it has taken.
    ended
        Whether it is over.
    """

    token: str
    idle_s: float
    liveness_s: float
    seen: float
    acted: float
    serial: asyncio.Lock = field(default_factory=asyncio.Lock)
    annotation: Annotation | None = None
    target_dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.uint8))
    job: Job | None = None
    held: int = 0
    ended: bool = False

    def remaining_s(self, now: float) -> float:
        """Return the seconds after which it ends if nothing is done."""
        return max(0.0, self.idle_s - (now - self.acted))


class Leases:
    """All leases; used in the server's event loop alone.

    Parameters
    ----------
    max_sessions
        How many there may be at once.
    budget
        What they take memory of.
    clock
        Seconds, for tests.
    """

    def __init__(
        self, max_sessions: int, budget: Budget, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_sessions = max_sessions
        self.budget = budget
        self.clock = clock
        self._leases: dict[str, Lease] = {}
        #: Set where a lease that held a scan has ended.
        self.left = asyncio.Event()
        self._ended: list[Lease] = []

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._leases)

    def __contains__(self, token: str) -> bool:
        """Tell whether there is a lease of a token."""
        return token in self._leases

    def claim(self, *, idle_s: float = IDLE_S, liveness_s: float = LIVENESS_S) -> Lease:
        """Return a new lease.

        Raises
        ------
        Refused
            503 if there are as many as there may be.
        """
        self.sweep()
        if len(self._leases) >= self.max_sessions:
            raise full("all sessions are taken", f"{len(self._leases)} sessions")
        now = self.clock()
        lease = Lease(secrets.token_urlsafe(32), idle_s, liveness_s, now, now)
        self._leases[lease.token] = lease
        return lease

    def find(self, token: str | None, *, acting: bool) -> Lease:
        """Return a lease, and note that its client lives and, if it is acting, does something.

        Raises
        ------
        Refused
            410 if there is none of that token: it never was, or is over.
        """
        self.sweep()
        lease = self._leases.get(token or "")
        if lease is None:
            raise Refused(
                410,
                "the session is over, or never was",
                received="an unknown lease" if token else "no lease",
                accepted="the lease of a session that goes on",
                remedy="connect again; the server ends sessions that do nothing for a while",
            )
        lease.seen = self.clock()
        if acting:
            lease.acted = lease.seen
        return lease

    def release(self, token: str | None) -> None:
        """End a lease; one that is over already stays so."""
        lease = self._leases.pop(token or "", None)
        if lease is None:
            return
        lease.ended = True
        if lease.job:
            lease.job.stop()
        if lease.annotation is not None:
            self._ended.append(lease)
            self.left.set()
        self.hold(lease, 0)

    def left_behind(self) -> list[Annotation]:
        """Return what leases that have ended held, once, and as soon as nobody works on it."""
        over = [lease for lease in self._ended if not lease.serial.locked()]
        self._ended = [lease for lease in self._ended if lease.serial.locked()]
        found = [lease.annotation for lease in over if lease.annotation is not None]
        for lease in over:
            lease.annotation = None
        return found

    def sweep(self) -> None:
        """End the leases whose time is up; not of clients that wait for an answer."""
        now = self.clock()
        for lease in list(self._leases.values()):
            if lease.serial.locked():
                continue
            if now - lease.seen > lease.liveness_s or now - lease.acted > lease.idle_s:
                self.release(lease.token)

    def hold(self, lease: Lease, nbytes: int) -> None:
        """Let a lease hold so many bytes of the budget in place of those that it holds.

        Raises
        ------
        Refused
            As `Budget.take` does; then it holds what it did.
        """
        self.budget.give(lease.held)
        try:
            self.budget.take(nbytes)
        except Refused:
            self.budget.taken += lease.held
            raise
        lease.held = nbytes

    def close(self) -> None:
        """End all of them."""
        for token in list(self._leases):
            self.release(token)
