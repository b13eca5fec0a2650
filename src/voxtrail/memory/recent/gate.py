"""Gating by confidence: the slices of which the model was surest, however far back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.errors import OptionError
from voxtrail.memory.base import Attended, Entry, Query, RecentMemory


@dataclass(frozen=True)
class Gate(RecentMemory):
    """Attend to the k most confident of all slices tracked so far.

    Embeddings go by distance, the nearest taking the first (ours). Of equally confident slices
    the nearer is taken. Prompted slices are not candidates.

    Parameters
    ----------
    k
        Number of slices: 1 to the model's number of embeddings for tracked slices, 6 of SAM 2.
        (Gate 0 of the paper is no gating: ``recent:k=6``.)
    by
        What confidence is: ``iou``, the predicted IoU, or ``object``, the object score.

    Notes
    -----
    Source: arXiv 2603.23116, confidence gating.

    Examples
    --------
    >>> sure = {1: 0.9, 2: 0.5, 3: 0.8}
    >>> tracked = {i: Entry(i, prompted=False, predicted_iou=iou) for i, iou in sure.items()}
    >>> Gate(k=2).select(Query(4, 1, 20), tracked)
    (Attended(slice_index=3, embedding=0), Attended(slice_index=1, embedding=1))
    """

    name: ClassVar[str] = "gate"
    k: int = 6
    by: Literal["iou", "object"] = "iou"

    def __post_init__(self) -> None:
        if self.k < 1 or self.by not in ("iou", "object"):
            raise OptionError(
                "the memory gate cannot be set so",
                received=f"k={self.k}, by={self.by}",
                accepted="k of 1 or more, by iou or object",
                remedy="write for example gate:k=3,by=iou; no gating is recent:k=6",
            )

    def check(self, memory: MemorySpec) -> None:
        """Refuse more slices than the model has embeddings."""
        memory.check_slots(self.name, self.k, fewest=1)

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return the k most confident slices passed so far, the nearest first."""
        by_distance = sorted(self._surest(query, tracked), key=query.steps_back_to)
        return tuple(Attended(index, embedding) for embedding, index in enumerate(by_distance))

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the k most confident: a slice outranked once can never come back."""
        return frozenset(self._surest(query, tracked))

    def _surest(self, query: Query, tracked: Mapping[int, Entry]) -> list[int]:
        passed = [
            entry
            for index, entry in tracked.items()
            if not entry.prompted and query.steps_back_to(index) > 0
        ]
        passed.sort(
            key=lambda entry: (-self._confidence(entry), query.steps_back_to(entry.slice_index))
        )
        return [entry.slice_index for entry in passed[: self.k]]

    def _confidence(self, entry: Entry) -> float:
        return float(entry.predicted_iou if self.by == "iou" else entry.object_score)
