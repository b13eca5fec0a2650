"""The slice that the model itself thinks worst of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.session.suggestions.base import FloatArray, Known, SuggestionRule


@dataclass(frozen=True)
class LowestIou(SuggestionRule):
    """The slice with the lowest predicted IoU."""

    name: ClassVar[str] = "lowest-iou"

    def scores(self, known: Known) -> FloatArray:
        """Return what the predicted IoU lacks of 1; see `SuggestionRule.scores`."""
        lack = np.where(np.isnan(known.predicted_iou), 0.0, np.clip(1 - known.predicted_iou, 0, 1))
        lack[list(known.outlined)] = 0.0
        return lack
