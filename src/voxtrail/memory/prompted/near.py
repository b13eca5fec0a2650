"""Structured prompt selection (SPS): only prompted slices that are near in the volume."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory.base import PromptMemory, Query


@dataclass(frozen=True)
class NearPrompts(PromptMemory):
    """Keep a prompt on slice p for slice t only if ``|t - p| / D <= tau``.

    Parameters
    ----------
    tau
        Greatest distance as a share of the stack's D slices, above 0 and at most 1. 1 keeps all
        of them (the paper's baseline), 0.3 is the paper's best.
    nearest
        Where no prompt would be kept, keep the nearest one (ours; of two equally near, the one
        already passed). With False such a slice is segmented without any prompt's memory.
    n
        Greatest number of prompts kept, the nearest ones (ours); 0 keeps all within tau.

    Notes
    -----
    Source: arXiv 2603.23116, structured prompt selection.

    Examples
    --------
    >>> sorted(NearPrompts(tau=0.3).select(Query(5, 1, 20), [0, 9, 19]))
    [0, 9]
    >>> sorted(NearPrompts(tau=0.3, n=1).select(Query(5, 1, 20), [0, 9, 19]))
    [9]
    """

    name: ClassVar[str] = "near"
    tau: float = 0.3
    nearest: bool = True
    n: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.tau <= 1:
            raise OptionError(
                "tau of the prompt memory near is out of range",
                received=self.tau,
                accepted="above 0 and at most 1",
                remedy="write for example near:tau=0.3",
            )
        if self.n < 0:
            raise OptionError(
                "n of the prompt memory near is out of range",
                received=self.n,
                accepted="1 or more, or 0 for all within tau",
                remedy="write for example near:tau=0.3,n=2",
            )

    def select(self, query: Query, prompted: Collection[int]) -> frozenset[int]:
        """Return the prompts within tau, the nearest n of them, or the nearest one."""
        by_distance = sorted(prompted, key=query.nearness)
        kept = [
            index
            for index in by_distance
            if abs(query.slice_index - index) / query.num_slices <= self.tau
        ]
        if not kept and self.nearest:
            kept = by_distance[:1]
        return frozenset(kept[: self.n] if self.n else kept)
