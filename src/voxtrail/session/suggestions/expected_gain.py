"""The slice whose outline is expected to mend most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from voxtrail.errors import OptionError
from voxtrail.session.suggestions.base import FloatArray, Known, SuggestionRule


@dataclass(frozen=True)
class ExpectedGain(SuggestionRule):
    """What is expected to be wrong, as far as an outline would bring it nearer to one.

    Of a slice t, ``area (1 - confidence)`` is expected to be wrong. With an outline on slice s its
    way to the nearest outline, d, becomes d': of what is wrong there, the share ``1 - d'/d`` counts
    as mended. The score of s is what it mends on all slices, in mm³.

    Parameters
    ----------
    weight
        ``error``: as above. ``area``: every slice counts by its area alone, as if equally wrong all
        over.
    least
        What share of each slice is expected to be wrong at least, however sure it is, 0 to 1.

    Raises
    ------
    OptionError
        If an option is out of range.
    """

    name: ClassVar[str] = "expected-gain"
    weight: Literal["error", "area"] = "error"
    least: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise OptionError(
                "least of the suggestion rule expected-gain is out of range",
                received=self.least,
                accepted="0 to 1",
                remedy="write for example expected-gain:least=0.05",
            )

    def scores(self, known: Known) -> FloatArray:
        """Return what an outline of each slice mends, in mm³; see `SuggestionRule.scores`."""
        wrong = np.ones_like(known.confidence)
        if self.weight == "error":
            wrong = np.maximum(1 - known.confidence, self.least)
        slices = np.arange(len(wrong))
        far = known.distance_mm()
        near = np.abs(slices[:, None] - slices) * known.spacing_mm  # (outlined one, other slice)
        left = np.minimum(near, far) / np.where(far > 0, far, 1.0)
        mended = np.where(far > 0, 1 - left, 0.0)
        gained: FloatArray = mended @ (known.area_mm2 * wrong * known.spacing_mm)
        gained[list(known.outlined)] = 0.0
        return gained
