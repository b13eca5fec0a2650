"""SAMURAI's selection, without its motion: the newest slices with a good mask, by rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory.base import Attended, Entry, Query, RecentMemory
from voxtrail.memory.trusted import attended_by_rank, newest_trusted, retained


@dataclass(frozen=True)
class Samurai(RecentMemory):
    """Attend to the slice just passed and to the newest ones with high estimates.

    Embeddings go by rank, not by distance; object pointers follow the reference's rule.

    Parameters
    ----------
    iou
        Predicted IoU above this is trusted, 0 to 1; 0.5 in the authors' code.
    score
        Object scores (logits) above this are trusted; 0 there.

    Notes
    -----
    Source: ``SAM2Base._prepare_memory_conditioned_features`` of SAMURAI (samurai_mode), whose
    third condition and choice of masks follow a box through a Kalman filter: a slice is no moment,
    and they are left out. Its loop ends before frame 1, which here may be trusted like any other.

    Examples
    --------
    >>> sure = {1: 0.9, 2: 0.4, 3: 0.8, 4: 0.3}
    >>> tracked = {i: Entry(i, prompted=False, predicted_iou=iou) for i, iou in sure.items()}
    >>> [(one.slice_index, one.embedding) for one in Samurai().select(Query(5, 1, 20), tracked)]
    [(4, 0), (3, 1), (1, 2)]
    """

    name: ClassVar[str] = "samurai"
    iou: float = 0.5
    score: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.iou < 1:
            raise OptionError(
                "iou of the memory samurai is out of range",
                received=self.iou,
                accepted="0 or more, below 1",
                remedy="write for example samurai:iou=0.5",
            )

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return the first trusted slices, as many as there are embeddings."""
        return attended_by_rank(query, newest_trusted(query, tracked, self._trusts), tracked)

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the slice just passed and as many trusted ones as there are embeddings."""
        return retained(query, tracked, self._trusts, query.memory.recent_embeddings)

    def _trusts(self, entry: Entry) -> bool:
        return float(entry.predicted_iou) > self.iou and float(entry.object_score) > self.score
