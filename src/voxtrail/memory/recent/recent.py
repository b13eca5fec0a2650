"""Sliced k: the k slices just passed. Six of them are SAM 2's own default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.errors import OptionError
from voxtrail.memory.base import Attended, Entry, Query, RecentMemory


@dataclass(frozen=True)
class Recent(RecentMemory):
    """Attend to the k slices just passed, the one r steps back with embedding r - 1.

    A slot whose slice is not among the tracked ones (it is a selected prompt, or lies before the
    pass began) stays empty.

    Parameters
    ----------
    k
        Number of slots: 0 to the model's number of embeddings for tracked slices, 6 of SAM 2.

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
        if self.k < 0:
            raise OptionError(
                "k of the memory recent is out of range",
                received=self.k,
                accepted="0 or more",
                remedy="write for example recent:k=6",
            )

    def check(self, memory: MemorySpec) -> None:
        """Refuse more slots than the model has embeddings."""
        memory.check_slots(self.name, self.k, fewest=0)

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
