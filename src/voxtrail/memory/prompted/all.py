"""Every prompted slice, however far: SAM 2's own default."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.memory.base import PromptMemory, Query


@dataclass(frozen=True)
class AllPrompts(PromptMemory):
    """Attend to all prompted slices, before and after the query alike.

    Examples
    --------
    >>> sorted(AllPrompts().select(Query(5, 1, 20), [0, 9, 19]))
    [0, 9, 19]
    """

    name: ClassVar[str] = "all"

    def select(self, query: Query, prompted: Collection[int]) -> frozenset[int]:
        """Return all of them."""
        return frozenset(prompted)
