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
        outlines: Mapping[int, Mask],
        spacing_mm: tuple[float, float, float],
    ) -> FloatArray:
        """Return logits in which the outlines of one axis have had their say.

        Parameters
        ----------
        logits
            (slices, rows, columns) float32, of all passes and axes; above 0 is inside. Not written
            to.
        outlines
            (rows, columns) bool by slice of this stack: what was drawn on it as a mask (boxes and
            clicks are no outlines); all False says that the structure is not there.
        spacing_mm
            Distance between slices, rows and columns.

        Returns
        -------
        numpy.ndarray
            (slices, rows, columns) float32. What does not lie in one of the `gaps` comes back as
            it is.
        """

    def fuse_axes(
        self,
        logits: FloatArray,
        outlines: Mapping[Axis, Mapping[int, Mask]],
        spacing_mm: tuple[float, float, float],
    ) -> FloatArray:
        """Return logits in which the outlines of every axis have had their say.

        Each axis speaks by itself; where several do, the mean of what they say counts, so that a
        voxel on which they agree with the tracker stays what it is.

        Parameters
        ----------
        logits
            (i, j, k) float32, RAS+, a box of the scan. Not written to.
        outlines
            By axis, as in `fuse`: numbered and cut in ``axis.to_stack`` of that box.
        spacing_mm
            Voxel size along the RAS+ axes.
        """
        total = np.zeros_like(logits)
        speakers = np.zeros(logits.shape, dtype=np.uint8)
        for axis, drawn in outlines.items():
            along_mm, row_mm, column_mm = (
                spacing_mm[along] for along in (axis.value, axis.row_axis, axis.column_axis)
            )
            fused = self.fuse(axis.to_stack(logits), drawn, (along_mm, row_mm, column_mm))
            into, count = axis.to_stack(total), axis.to_stack(speakers)  # views
            for low, high in gaps(drawn):
                into[low + 1 : high] += fused[low + 1 : high]
                count[low + 1 : high] += 1
        heard = speakers > 0
        said = logits.copy()
        said[heard] = total[heard] / speakers[heard]
        return said


def gaps(outlines: Mapping[int, Mask]) -> list[tuple[int, int]]:
    """Return the pairs of neighbouring outlines, neither empty, with slices between them."""
    return [
        (low, high)
        for low, high in pairwise(sorted(outlines))
        if high - low > 1 and outlines[low].any() and outlines[high].any()
    ]
