"""What every interpolation between outlined slices has in common: it works gap by gap."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import MaskPrompt
from voxtrail.errors import PromptError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Interpolator(ABC):
    """A way to fill the slices between two outlines."""

    name: ClassVar[str]

    @abstractmethod
    def fill(self, first: Mask, last: Mask, steps: int, pixel_mm: tuple[float, float]) -> Mask:
        """Return the slices between two outlines.

        Parameters
        ----------
        first, last
            (row, column) bool, neither empty.
        steps
            Number of slices from ``first`` to ``last``, 2 or more.
        pixel_mm
            Distance between rows and between columns.

        Returns
        -------
        numpy.ndarray
            (steps - 1, row, column) bool.
        """

    def interpolate(
        self,
        prompts: Sequence[MaskPrompt],
        shape: tuple[int, int, int],
        spacing_mm: tuple[float, float, float],
    ) -> Mask:
        """Return the structure as far as its outlines reach.

        The outlined slices come back unchanged. Beyond the outermost ones nothing is drawn, nor
        between an outline and a slice that is said to be empty: where a structure ends between
        the two cannot be told from them.

        Parameters
        ----------
        prompts
            One label's outlines on one axis, in any order; at least one.
        shape
            Of the scan, RAS+.
        spacing_mm
            Voxel size along the RAS+ axes.

        Returns
        -------
        numpy.ndarray
            (i, j, k) bool, RAS+.

        Raises
        ------
        PromptError
            If there is no outline, or they are of several labels or axes.
        """
        kinds = sorted({(prompt.label, prompt.axis.label) for prompt in prompts})
        if len(kinds) != 1:
            raise PromptError(
                "outlines that cannot be interpolated together",
                received=", ".join(f"label {label} {axis}" for label, axis in kinds) or "none",
                accepted="outlines of one label on one axis",
                remedy="interpolate each label and axis by itself",
            )
        axis = prompts[0].axis
        volume = np.zeros(shape, dtype=bool)
        stack = axis.to_stack(volume)  # (slice, row, column), a view: writes into the volume
        pixel_mm = spacing_mm[axis.row_axis], spacing_mm[axis.column_axis]
        outlines = sorted(prompts, key=lambda prompt: prompt.slice_index)
        for outline in outlines:
            stack[outline.slice_index] = outline.mask
        for low, high in pairwise(outlines):
            steps = high.slice_index - low.slice_index
            if steps > 1 and low.mask.any() and high.mask.any():
                between = slice(low.slice_index + 1, high.slice_index)
                stack[between] = self.fill(low.mask, high.mask, steps, pixel_mm)
        return volume
