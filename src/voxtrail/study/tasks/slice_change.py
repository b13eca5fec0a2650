"""How much a structure and its surroundings change from slice to slice: no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.metrics import dice
from voxtrail.preprocess import Window
from voxtrail.study.target import Target
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.base import Measurements, Task


@dataclass(frozen=True)
class SliceChange(Task):
    """Compare axial slices that lie some slices apart.

    Parameters
    ----------
    apart
        Number of slices between the two, 1 or more.
    of
        ``mask``: mean Dice of the true outlines; ``grey``: mean correlation of the windowed crop.
        Both over pairs of slices that the structure is on.
    """

    kind: ClassVar[str] = "slice-change"
    apart: int = 1
    of: Literal["mask", "grey"] = "mask"

    def run(self, target: Target | None, context: TaskContext) -> Measurements:
        """Compare all pairs; no value where the structure is on too few slices."""
        assert target is not None
        axis = Axis.AXIAL
        cut = target.crop.in_stack(axis, target.volume.grid.shape)
        truth: NDArray[np.bool_] = axis.to_stack(target.truth.voxels > 0)[cut]
        occupied = np.asarray(truth.any(axis=(1, 2)))
        first = np.flatnonzero(occupied[: -self.apart] & occupied[self.apart :])
        if self.of == "mask":
            values = [dice(truth[i], truth[i + self.apart]) for i in first]
        else:
            grey = Window().apply(axis.to_stack(target.volume.voxels)[cut])
            flat = grey.reshape(len(grey), -1)
            # A slice of a single grey level correlates with nothing.
            values = [
                float(np.corrcoef(flat[i], flat[i + self.apart])[0, 1])
                for i in first
                if flat[i].std() > 0 and flat[i + self.apart].std() > 0
            ]
        return Measurements(
            crop_slices=target.crop.shape[2],
            value=float(np.mean(values)) if values else None,
            unit="dice" if self.of == "mask" else "correlation",
        )
