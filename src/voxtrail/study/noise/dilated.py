"""Outlines drawn too wide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.study.noise.base import Mask, Noise, above, depth_mm


@dataclass(frozen=True)
class Dilated(Noise):
    """Move the edge outwards by ``mm``.

    Examples
    --------
    >>> mask = np.zeros((1, 9), bool)
    >>> mask[0, 4] = True
    >>> Dilated(mm=2).spoil(mask, (1, 1), np.random.default_rng()).sum()
    np.int64(5)
    """

    name: ClassVar[str] = "dilated"

    def spoil(self, mask: Mask, pixel_mm: tuple[float, float], rng: np.random.Generator) -> Mask:
        """Return the wider outline; see `Noise.spoil`."""
        return above(depth_mm(mask, pixel_mm), -self.mm) if mask.any() else mask
