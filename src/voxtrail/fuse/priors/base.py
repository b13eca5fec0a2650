"""What outlines say of the slices between them, fused with what the model tracked there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis

FloatArray = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Prior(ABC):
    """A way to use the outlines of one label a second time, as shape."""

    name: ClassVar[str]

    @abstractmethod
    def fuse(
        self,
        logits: FloatArray,
        outlines: Mapping[Axis, Mapping[int, Mask]],
        spacing_mm: tuple[float, float, float],
    ) -> FloatArray:
        """Return logits in which the outlines have had their say.

        Parameters
        ----------
        logits
            (i, j, k) float32, RAS+, a box of the scan; all passes and axes fused; above 0 is
            inside. Not written to.
        outlines
            What was drawn as masks (boxes and clicks are no outlines), by axis and slice: (rows,
            columns) bool, numbered and cut as ``axis.to_stack(logits)``; all False says that the
            structure is not there. Those beyond the box (below 0, or too high) tell what shape is
            worth in this case, and nothing else.
        spacing_mm
            Voxel size along the RAS+ axes.

        Returns
        -------
        numpy.ndarray
            (i, j, k) float32, RAS+. What lies in none of the `gaps` of an axis comes back as it
            is.
        """


def gaps(outlines: Mapping[int, Mask], slices: int) -> list[tuple[int, int]]:
    """Return the pairs of neighbouring outlines, neither empty, with slices between them.

    Both lie in the box, which has so many ``slices``.
    """
    return [
        (low, high)
        for low, high in pairwise(sorted(outlines))
        if high - low > 1
        and low >= 0
        and high < slices
        and outlines[low].any()
        and outlines[high].any()
    ]
