"""What an object was before each interaction: the way back, bounded in length and in sessions."""

from __future__ import annotations

from dataclasses import dataclass

from voxtrail.core.box import Box
from voxtrail.serve.remote.packed_mask import PackedMask
from voxtrail.session import Session
from voxtrail.session.state import State

#: Interactions that can be gone back by.
MAX_UNDO = 30
#: Sessions that these may be in: each holds what it has found.
MAX_SESSIONS = 3


@dataclass(frozen=True, eq=False)
class Moment:
    """What an object was.

    Parameters
    ----------
    session, state
        What was drawn, and where.
    ground, region
        The mask that it began from, and what it may not leave.
    shown
        Its mask.
    stale
        Whether something had been drawn since the last propagation.
    """

    session: Session
    state: State
    ground: PackedMask | None
    region: Box | None
    shown: PackedMask
    stale: bool


class Moments:
    """The last moments of an object, the oldest first."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []

    def __bool__(self) -> bool:
        return bool(self._moments)

    def add(self, before: Moment) -> None:
        """Add what an object was before an interaction; forget what is too long ago."""
        moments = [*self._moments, before][-MAX_UNDO:]
        sessions = list(dict.fromkeys(id(one.session) for one in reversed(moments)))
        kept = sessions[:MAX_SESSIONS]
        self._moments = [one for one in moments if id(one.session) in kept]

    def take(self) -> Moment:
        """Take out the last one, which there has to be."""
        return self._moments.pop()
