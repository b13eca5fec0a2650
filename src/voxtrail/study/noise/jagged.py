"""Outlines drawn with an unsteady hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.study.noise.base import Mask, Noise, above, depth_mm

#: Over so many mm the hand strays to one side.
REACH_MM = 6.0


@dataclass(frozen=True)
class Jagged(Noise):
    """Move the edge in and out by ``mm`` (standard deviation), smoothly along `REACH_MM`."""

    name: ClassVar[str] = "jagged"

    def spoil(self, mask: Mask, pixel_mm: tuple[float, float], rng: np.random.Generator) -> Mask:
        """Return the unsteady outline; see `Noise.spoil`."""
        from scipy.ndimage import gaussian_filter

        if not mask.any():
            return mask
        sigma = [REACH_MM / 2 / size for size in pixel_mm]
        field = gaussian_filter(rng.standard_normal(mask.shape), sigma, mode="wrap")
        spread = field.std()
        strays = self.mm * field / spread if spread > 0 else field
        return above(depth_mm(mask, pixel_mm) + strays, 0.0)
