"""Sliced k: the k slices just passed. Six of them are SAM 2's own default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory.base import RECENT_EMBEDDINGS, Attended, Entry, Query, RecentMemory


@dataclass(frozen=True)
class Recent(RecentMemory):
    """Attend to the k slices just passed, the one r steps back with embedding r - 1.

    A slot whose slice is not among the tracked ones (it is a selected prompt, or lies before the
    pass began) stays empty.

    Parameters
    ----------
    k
        Number of slots, 0 to 6.

    Notes
    -----
    Source: arXiv 2603.23116, memory bank capacity; the reference's default for k = 6.

    Examples
    --------
    >>> tracked = {i: Entry(i, prompted=False) for i in (3, 4)}
    >>> Recent(k=2).select(Query(5, 1, 20), tracked)
    (Attended(slice_index=4, embedding=0), Attended(slice_index=3, embedding=1))
    """

    name: ClassVar[str] = "recent"
    k: int = 6

    def __post_init__(self) -> None:
        if not 0 <= self.k <= RECENT_EMBEDDINGS:
            raise OptionError(
                "k of the memory recent is out of range",
                received=self.k,
                accepted=f"0 to {RECENT_EMBEDDINGS}",
                remedy="write for example recent:k=6",
            )

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return the k slices just passed, as far as they are tracked."""
        return tuple(
            Attended(query.back(steps), steps - 1)
            for steps in range(1, self.k + 1)
            if query.back(steps) in tracked
        )

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the last k slices."""
        return frozenset(index for index in tracked if 1 <= query.steps_back_to(index) <= self.k)
