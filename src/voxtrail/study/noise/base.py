"""What all kinds of noise have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import OptionError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Noise(ABC):
    """A way to spoil an outline.

    Parameters
    ----------
    mm
        Strength in mm, above 0.

    Raises
    ------
    OptionError
        If the strength is not above 0.
    """

    name: ClassVar[str]
    mm: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.mm < float("inf"):
            raise OptionError(
                "a noise without strength",
                received=self.mm,
                accepted="above 0 mm",
                remedy="write for example dilated:mm=2",
            )

    @abstractmethod
    def spoil(self, mask: Mask, pixel_mm: tuple[float, float], rng: np.random.Generator) -> Mask:
        """Return a spoilt outline, never empty where the outline was not.

        Parameters
        ----------
        mask
            (rows, columns) bool; an empty one comes back as it is.
        pixel_mm
            Distance between rows and between columns.
        rng
            For kinds that draw at random.
        """


def depth_mm(mask: Mask, pixel_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Return how far each pixel lies inside (positive) or outside (negative) a mask's edge, in mm.

    The edge runs halfway between pixel centres of the two kinds, so no pixel lies at 0.
    """
    from scipy.ndimage import distance_transform_edt

    half = 0.5 * min(pixel_mm)
    inside = distance_transform_edt(np.pad(mask, 1), sampling=pixel_mm)[1:-1, 1:-1]
    outside = distance_transform_edt(~mask, sampling=pixel_mm)
    depth: NDArray[np.float64] = np.where(mask, inside - half, half - outside)
    return depth


def above(depth: NDArray[np.float64], level_mm: float) -> Mask:
    """Return the pixels deeper than a level, or the deepest where there is none."""
    kept: Mask = depth > level_mm
    return kept if kept.any() else depth >= depth.max()
