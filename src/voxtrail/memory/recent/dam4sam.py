"""DAM4SAM's memory: slices that tell a structure from its look-alikes are kept for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory.base import Attended, Entry, Pointers, Query, RecentMemory, passed

#: How many areas the median is of, that of the slice itself included.
AREAS = 10


@dataclass(frozen=True)
class Dam4Sam(RecentMemory):
    """Attend to promoted slices like prompted ones, and to few and spread recent slices.

    A slice is promoted if the model is sure of its mask, the mask is as large as usual, and an
    alternative that the model weighed reaches elsewhere: then there is a look-alike, and the model
    has told it apart. Recent slices are the last one on which something was found and, before it,
    those whose number is a multiple of ``r`` and on which something was found; their embeddings go
    by rank. Promoted and recent ones together are as many as there are embeddings.

    Parameters
    ----------
    iou
        Promoted above this predicted IoU, 0 to 1; 0.8 in the authors' code.
    change
        Greatest difference from the median of the last ten areas, as a share of it; 0.2 there.
    apart
        Promoted slices lie more than this many slices apart; 5 there.
    agreement
        Promoted where the masks agree by no more than this, 0 to 1; 0.7 there. See `Entry`.
    n
        How many promoted slices are attended to, the newest; 3 there, beside the first frame.
    r
        Distance of the recent slices but the last one; 5 there.

    Notes
    -----
    Source: ``dam4sam_tracker.track`` and ``SAM2Base._prepare_memory_conditioned_features`` of
    DAM4SAM. There is one prompted frame there, which is always attended to; here outlines are, as
    selected, whatever their number, beside the promoted slices (ours). As there the slice just
    passed is a recent one even if it is promoted, and pointers are those of promoted slices and of
    slices within reach on which something was found.

    Examples
    --------
    >>> tracked = {i: Entry(i, prompted=False, area=0.1) for i in range(1, 12)}
    >>> found = Dam4Sam().select(Query(12, 1, 40), tracked)
    >>> [(one.slice_index, one.embedding) for one in found]
    [(11, 0), (10, 1), (5, 2)]
    """

    name: ClassVar[str] = "dam4sam"
    iou: float = 0.8
    change: float = 0.2
    apart: int = 5
    agreement: float = 0.7
    n: int = 3
    r: int = 5

    def __post_init__(self) -> None:
        shares = (self.iou, self.change, self.agreement)
        if not all(0 <= share <= 1 for share in shares) or min(self.apart, self.n, self.r - 1) < 0:
            raise OptionError(
                "the memory dam4sam cannot be set so",
                received=f"iou={self.iou}, change={self.change}, apart={self.apart}, "
                f"agreement={self.agreement}, n={self.n}, r={self.r}",
                accepted="iou, change and agreement of 0 to 1, apart and n of 0 or more, r of 1 or "
                "more",
                remedy="write for example dam4sam:iou=0.8,n=3",
            )

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return promoted slices with the prompts' embedding, and recent ones by rank."""
        promoted = self._promoted(query, tracked)
        recent = self._recent(query, tracked, promoted)
        return (
            *(Attended(index, query.memory.prompt_embedding) for index in promoted),
            *(Attended(index, rank) for rank, index in enumerate(recent)),
        )

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the newest promoted slices, and the newest that may be recent ones."""
        seen = _seen([one for one in passed(query, tracked) if not one.prompted])
        # Any of the newest may be promoted, and then it is not a recent one.
        spread = [index for index in seen if index % self.r == 0]
        return frozenset(
            (
                *self._newest_promoted(query, tracked)[: self.n + 1],
                *seen[: self.n + 1],
                *spread[: query.memory.recent_embeddings],
            )
        )

    def pointers(self, query: Query, tracked: Mapping[int, Entry]) -> Pointers:
        """Return pointers of promoted slices, and of those within reach that show something."""
        promoted = self._promoted(query, tracked)
        reach = query.memory.farthest_pointer(query.num_slices)
        behind = passed(query, tracked)
        near = [one for one in behind if query.steps_back_to(one.slice_index) <= reach]
        shown = [index for index in _seen(near) if index not in promoted]
        return tuple((index, query.steps_back_to(index)) for index in (*promoted, *shown))

    def retain_pointers(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return what is within reach, the promoted slices, and those that later medians take."""
        behind = passed(query, tracked)
        own = [one for one in behind if not one.prompted]
        return (
            super().retain_pointers(query, tracked)
            | frozenset(self._newest_promoted(query, tracked)[: self.n + 1])
            | frozenset(_seen(own)[:AREAS])
        )

    def promotes(self, query: Query, tracked: Mapping[int, Entry]) -> bool:
        """Tell whether the slice just tracked is to be kept for good."""
        slice_ = tracked[query.slice_index]
        area = float(slice_.area)
        last = self._newest_promoted(query, tracked)[:1]
        if not area or (last and query.steps_back_to(last[0]) <= self.apart):
            return False
        before = [float(one.area) for one in passed(query, tracked) if not one.prompted]
        areas = [area, *filter(None, before)][:AREAS]
        return (
            len(before) > 0
            and float(slice_.predicted_iou) > self.iou
            and 1 - self.change <= area / median(areas) <= 1 + self.change
            and float(slice_.agreement) <= self.agreement
        )

    def _promoted(self, query: Query, tracked: Mapping[int, Entry]) -> list[int]:
        """Return the promoted slices to attend to, the nearest first."""
        newest = self._newest_promoted(query, tracked)
        return [index for index in newest if index != query.back(1)][: self.n]

    @staticmethod
    def _newest_promoted(query: Query, tracked: Mapping[int, Entry]) -> list[int]:
        return [one.slice_index for one in passed(query, tracked) if one.promoted]

    def _recent(
        self, query: Query, tracked: Mapping[int, Entry], promoted: Sequence[int]
    ) -> list[int]:
        """Return the recent slices to attend to, the nearest first."""
        seen = [index for index in _seen(passed(query, tracked)) if index not in promoted]
        spread = [index for index in seen[1:] if index % self.r == 0]
        return [*seen[:1], *spread][: query.memory.recent_embeddings - len(promoted)]


def _seen(entries: Sequence[Entry]) -> list[int]:
    """Return the slices on which something was found, in the same order."""
    return [one.slice_index for one in entries if float(one.area) > 0]
