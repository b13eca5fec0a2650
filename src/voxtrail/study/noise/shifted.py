"""Outlines drawn beside the structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.study.noise.base import Mask, Noise


@dataclass(frozen=True)
class Shifted(Noise):
    """Move the outline by ``mm`` in a random direction, rounded to whole pixels.

    What leaves the picture is lost; an outline that would leave it whole stays where it is.
    """

    name: ClassVar[str] = "shifted"

    def spoil(self, mask: Mask, pixel_mm: tuple[float, float], rng: np.random.Generator) -> Mask:
        """Return the moved outline; see `Noise.spoil`."""
        angle = rng.uniform(0, 2 * np.pi)
        rows = round(self.mm * np.sin(angle) / pixel_mm[0])
        columns = round(self.mm * np.cos(angle) / pixel_mm[1])
        moved = np.zeros_like(mask)
        row, column = np.nonzero(mask)
        row, column = row + rows, column + columns
        stays = (row >= 0) & (row < mask.shape[0]) & (column >= 0) & (column < mask.shape[1])
        moved[row[stays], column[stays]] = True
        return moved if moved.any() else mask
