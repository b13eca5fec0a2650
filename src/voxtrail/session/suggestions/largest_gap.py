"""The middle of the widest gap between outlines, as a careful person without a model does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.session.suggestions.base import FloatArray, Known, SuggestionRule


@dataclass(frozen=True)
class LargestGap(SuggestionRule):
    """The slice farthest from any outline, in mm."""

    name: ClassVar[str] = "largest-gap"

    def scores(self, known: Known) -> FloatArray:
        """Return the distances; see `SuggestionRule.scores`."""
        return known.distance_mm()
