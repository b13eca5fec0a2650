"""Strided memory: the slice just passed, then every r-th one before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory.base import Attended, Entry, Query, RecentMemory


@dataclass(frozen=True)
class Stride(RecentMemory):
    """Attend to the slice just passed and, for each further embedding, one r slices on.

    Parameters
    ----------
    r
        Distance between the further ones, 1 or more. They are the slices whose number is a
        multiple of r, counted in the propagated stack; 1 is the same as ``recent:k=6``.

    Notes
    -----
    Source: ``memory_temporal_stride_for_eval`` of the reference; arXiv 2603.23116, memory bank
    temporal stride.

    Examples
    --------
    >>> tracked = {i: Entry(i, prompted=False) for i in range(9)}
    >>> [(a.slice_index, a.embedding) for a in Stride(r=4).select(Query(9, 1, 20), tracked)]
    [(8, 0), (4, 1), (0, 2)]
    """

    name: ClassVar[str] = "stride"
    r: int = 2

    def __post_init__(self) -> None:
        if self.r < 1:
            raise OptionError(
                "r of the memory stride is out of range",
                received=self.r,
                accepted="1 or more",
                remedy="write for example stride:r=2",
            )

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return the slice just passed and the strided ones, as far as they are tracked."""
        return tuple(
            Attended(index, embedding)
            for embedding, index in enumerate(self._slots(query))
            if index in tracked
        )

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the last two slices and the multiples of r within reach."""
        reach = 2 + (query.memory.recent_embeddings - 1) * self.r
        return frozenset(
            index
            for index in tracked
            if 1 <= query.steps_back_to(index) <= reach
            and (index % self.r == 0 or query.steps_back_to(index) == 1)
        )

    def _slots(self, query: Query) -> list[int]:
        # The nearest multiple of r at least two steps back, then r further each time.
        two_back = query.back(2)
        if query.direction > 0:
            anchor = two_back // self.r * self.r
        else:
            anchor = -(-two_back // self.r) * self.r
        further = range(query.memory.recent_embeddings - 1)
        strided = (anchor - query.direction * step * self.r for step in further)
        return [query.back(1), *strided]
