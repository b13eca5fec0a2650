"""SAM 3's own selection: the newest slices of which the model was not in doubt, by rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory.base import Attended, Entry, Pointers, Query, RecentMemory
from voxtrail.memory.trusted import attended_by_rank, newest_trusted, retained


@dataclass(frozen=True)
class Sam3(RecentMemory):
    """Attend to the slice just passed and to the newest ones whose score is above a threshold.

    The score is the predicted IoU times the chance that the object is there beyond an even one,
    ``max(0, 2 sigmoid(object score) - 1)``. Embeddings go by rank, not by distance, and so do
    object pointers: those of the same slices, the first as one slice back and so on.

    Parameters
    ----------
    above
        Scores above this are trusted, 0 to 1; 0.01 in the authors' code.

    Notes
    -----
    Source: ``frame_filter`` and ``_prepare_memory_conditioned_features`` of
    ``sam3.model.sam3_tracker_base`` (use_memory_selection). As there, as many slices are trusted
    as there are pointers, and the last of all these gives no pointer.

    Examples
    --------
    >>> sure = {1: 0.9, 2: 0.0, 3: 0.8, 4: 0.0}
    >>> tracked = {i: Entry(i, prompted=False, predicted_iou=iou) for i, iou in sure.items()}
    >>> [(one.slice_index, one.embedding) for one in Sam3().select(Query(5, 1, 20), tracked)]
    [(4, 0), (3, 1), (1, 2)]
    """

    name: ClassVar[str] = "sam3"
    above: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.above < 1:
            raise OptionError(
                "the threshold of the memory sam3 is out of range",
                received=self.above,
                accepted="0 or more, below 1",
                remedy="write for example sam3:above=0.01",
            )

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return the first trusted slices, as many as there are embeddings."""
        return attended_by_rank(query, newest_trusted(query, tracked, self._trusts), tracked)

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the slice just passed and as many trusted ones as there are embeddings."""
        return retained(query, tracked, self._trusts, query.memory.recent_embeddings)

    def pointers(self, query: Query, tracked: Mapping[int, Entry]) -> Pointers:
        """Return the pointers of the same slices, with ranks for distances."""
        ranked = newest_trusted(query, tracked, self._trusts)[:-1]
        ranked = ranked[: query.memory.farthest_pointer(query.num_slices)]
        return tuple((index, rank) for rank, index in enumerate(ranked, 1) if index in tracked)

    def retain_pointers(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the slice just passed and as many trusted ones as there are pointers."""
        return retained(query, tracked, self._trusts, query.memory.max_pointers)

    def _trusts(self, entry: Entry) -> bool:
        score = float(entry.object_score)
        beyond_even = 2 / (1 + exp(-score)) - 1 if score > 0 else 0.0
        return beyond_even * float(entry.predicted_iou) > self.above
