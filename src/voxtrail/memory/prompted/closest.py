"""The n prompted slices that SAM 2 calls closest (``max_cond_frames_in_attn``)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory.base import PromptMemory, Query


@dataclass(frozen=True)
class ClosestPrompts(PromptMemory):
    """Keep at most ``n`` prompts: the nearest before, the nearest after, then the nearest left.

    Parameters
    ----------
    n
        Greatest number of prompts, 1 or more (the reference: 2 or more). With 1 it is the
        nearest; of two equally near, the one already passed.

    Notes
    -----
    Source: ``select_closest_cond_frames`` of the reference. "Before" and "after" go by slice
    number, whatever the direction of travel; a prompt on the query's own slice counts as after.

    Examples
    --------
    >>> sorted(ClosestPrompts(n=2).select(Query(5, 1, 20), [0, 3, 9, 19]))
    [3, 9]
    """

    name: ClassVar[str] = "closest"
    n: int = 2

    def __post_init__(self) -> None:
        if self.n < 1:
            raise OptionError(
                "n of the prompt memory closest is out of range",
                received=self.n,
                accepted="1 or more",
                remedy="write for example closest:n=2",
            )

    def select(self, query: Query, prompted: Collection[int]) -> frozenset[int]:
        """Return the closest prompts by the reference's rule."""
        if len(prompted) <= self.n:
            return frozenset(prompted)
        before = [index for index in prompted if index < query.slice_index]
        after = [index for index in prompted if index >= query.slice_index]
        beside = [*([max(before)] if before else []), *([min(after)] if after else [])]
        rest = sorted(
            (index for index in prompted if index not in beside),
            key=lambda index: abs(index - query.slice_index),
        )
        return frozenset([*sorted(beside, key=query.nearness), *rest][: self.n])
