"""Outlines drawn too narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.study.noise.base import Mask, Noise, above, depth_mm


@dataclass(frozen=True)
class Eroded(Noise):
    """Move the edge inwards by ``mm``; of what is thinner the middle stays.

    Examples
    --------
    >>> mask = np.ones((1, 5), bool)
    >>> Eroded(mm=9).spoil(mask, (1, 1), np.random.default_rng()).sum() > 0
    np.True_
    """

    name: ClassVar[str] = "eroded"

    def spoil(self, mask: Mask, pixel_mm: tuple[float, float], rng: np.random.Generator) -> Mask:
        """Return the narrower outline; see `Noise.spoil`."""
        return above(depth_mm(mask, pixel_mm), self.mm) if mask.any() else mask
