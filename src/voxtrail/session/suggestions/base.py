"""What a rule knows of a label along one axis, and what it says of each slice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Known:
    """A label's slices along one axis, numbered from 0.

    Parameters
    ----------
    outlined
        Numbers of the outlined slices, rising; at least one.
    area_mm2
        (slices,) float64: how large the structure seems on each.
    confidence
        (slices,) float64: what share of each slice's mask is expected to be right; see
        `voxtrail.session.uncertainty.confidence`.
    predicted_iou
        (slices,) float64: the model's own estimate; NaN where there is none.
    spacing_mm
        Distance between slices.
    """

    outlined: tuple[int, ...]
    area_mm2: FloatArray
    confidence: FloatArray
    predicted_iou: FloatArray
    spacing_mm: float

    def distance_mm(self) -> FloatArray:
        """Return how far each slice lies from the nearest outlined one."""
        slices = np.arange(len(self.area_mm2))
        nearest = np.abs(slices[:, None] - np.array(self.outlined)).min(axis=1)
        away: FloatArray = nearest * self.spacing_mm
        return away

    def with_outline(self, index: int) -> Known:
        """Return what would be known, as far as can be told, with one more outline."""
        return replace(self, outlined=tuple(sorted({*self.outlined, index})))


@dataclass(frozen=True)
class SuggestionRule(ABC):
    """A way to tell which slice an outline would help most on."""

    name: ClassVar[str]

    @abstractmethod
    def scores(self, known: Known) -> FloatArray:
        """Return how much an outline of each slice is worth: (slices,) float64, 0 or more.

        0 where nothing is to be gained, outlined slices among them. Labels and axes are compared
        by it.
        """
