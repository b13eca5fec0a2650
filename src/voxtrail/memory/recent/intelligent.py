"""Intelligent slicing (IS): two slices, told apart by the most different embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.memory.base import Attended, Entry, Query, RecentMemory


@dataclass(frozen=True)
class Intelligent(RecentMemory):
    """Attend to the two slices just passed, with the first and the last recent embedding.

    Notes
    -----
    Source: arXiv 2603.23116, intelligent slicing: the middle embeddings are highly alike, so two
    memories suffice when they take the two that differ most.

    Examples
    --------
    >>> tracked = {i: Entry(i, prompted=False) for i in (2, 3, 4)}
    >>> Intelligent().select(Query(5, 1, 20), tracked)
    (Attended(slice_index=4, embedding=0), Attended(slice_index=3, embedding=5))
    """

    name: ClassVar[str] = "intelligent"

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return the two slices just passed, as far as they are tracked."""
        slots = ((1, 0), (2, query.memory.recent_embeddings - 1))
        return tuple(
            Attended(query.back(steps), embedding)
            for steps, embedding in slots
            if query.back(steps) in tracked
        )

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the last two slices."""
        return frozenset(index for index in tracked if 1 <= query.steps_back_to(index) <= 2)
