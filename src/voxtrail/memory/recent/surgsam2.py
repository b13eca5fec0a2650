"""SurgSAM-2's pruning: of the slices just passed, those that say most the same are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.errors import OptionError
from voxtrail.memory.base import Attended, Entry, Query, RecentMemory
from voxtrail.memory.recent.recent import Recent


@dataclass(frozen=True)
class SurgSam2(RecentMemory):
    """Attend to the k slices just passed, but for those that are most like the newest of them.

    Only where all k are there. The newest stays, and each keeps the embedding of its distance.

    Parameters
    ----------
    k
        Number of slots before any is left out: 2 to the model's number of embeddings for tracked
        slices, 6 of SAM 2.
    drop
        How many are left out, fewer than k; 2 in the authors' code.

    Notes
    -----
    Source: ``SAM2Base._prepare_memory_conditioned_features`` of SurgSAM-2 (efficient frame
    pruning). There the memories of prompted frames are counted too, and all but the first may be
    left out; here what a person drew is never left out, whatever the number of outlines (ours),
    which is the same where there is a single one.

    Examples
    --------
    >>> tracked = {i: Entry(i, prompted=False) for i in range(4)}
    >>> alike = {0: 0.2, 1: 0.9, 2: 0.5}
    >>> tracked[3] = Entry(3, prompted=False, likeness=alike)
    >>> found = SurgSam2(k=4, drop=1).select(Query(4, 1, 20), tracked)
    >>> [(one.slice_index, one.embedding) for one in found]
    [(3, 0), (2, 1), (0, 3)]
    """

    name: ClassVar[str] = "surgsam2"
    compares: ClassVar[bool] = True
    k: int = 6
    drop: int = 2

    def __post_init__(self) -> None:
        if self.k < 2 or not 0 <= self.drop < self.k:
            raise OptionError(
                "the memory surgsam2 cannot be set so",
                received=f"k={self.k}, drop={self.drop}",
                accepted="k of 2 or more, drop of 0 or more and below k",
                remedy="write for example surgsam2:k=6,drop=2",
            )

    def check(self, memory: MemorySpec) -> None:
        """Refuse more slots than the model has embeddings."""
        memory.check_slots(self.name, self.k, fewest=2)

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return the k slices just passed, without the most redundant where all are there."""
        found = Recent(self.k).select(query, tracked)
        if len(found) < self.k:
            return found
        likeness = tracked[found[0].slice_index].likeness
        if any(one.slice_index not in likeness for one in found[1:]):
            return found  # the newest was drawn, and its memory made before the others
        redundant = sorted(found[1:], key=lambda one: -float(likeness[one.slice_index]))
        return tuple(one for one in found if one not in redundant[: self.drop])

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return the last k slices."""
        return Recent(self.k).retain(query, tracked)
