"""What a contact sheet shows: the labelled part of a scan, and which of its slices.

Chooses; `voxtrail.picture.contact_sheet` draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Side, range_of
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import GridError

#: Shown around the labels, so that one sees what was left out and where in the body it is.
MARGIN_MM = 15.0
#: A bone window (level 400, width 1800 HU): black and white.
BLACK_HU, WHITE_HU = -500.0, 1300.0


@dataclass(frozen=True, eq=False)
class Scene:
    """The labelled part of a scan.

    Parameters
    ----------
    hu, labels
        (i, j, k) in RAS+, the part that is shown; Hounsfield units and label numbers.
    start
        Where the part begins in the scan, RAS+ voxels.
    stored
        The scan's grid as stored.
    prompts
        What was drawn, or None.
    """

    hu: NDArray[Any]
    labels: NDArray[Any]
    start: tuple[int, int, int]
    stored: Grid
    prompts: Prompts | None

    @classmethod
    def around(cls, volume: Volume, labels: LabelMap, prompts: Prompts | None) -> Scene:
        """Cut out what is labelled, with a margin; all of the scan where nothing is.

        Raises
        ------
        GridError
            If the labels or the prompts lie on another grid than the scan.
        """
        _check_grid("labels", labels.grid, volume.grid)
        if prompts is not None:
            _check_grid("prompts", prompts.stored.canonical(), volume.grid)
        whole = Box.whole(volume.grid.shape)
        # Half a voxel more or less is nothing to a picture.
        margin = [round(MARGIN_MM / spacing) for spacing in volume.grid.spacing_mm]
        shown = (Box.around(labels.voxels) or whole).grown(margin, Side, whole)
        return cls(
            hu=volume.voxels[shown.slices],
            labels=labels.voxels[shown.slices],
            start=shown.start,
            stored=volume.stored,
            prompts=prompts,
        )

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """How far the part reaches along the RAS+ axes."""
        spacing = self.stored.canonical().spacing_mm
        x, y, z = (n * mm for n, mm in zip(self.hu.shape, spacing, strict=True))
        return x, y, z

    def pixel_mm(self, axis: Axis) -> tuple[float, float]:
        """Return the distance between the rows and between the columns of a slice."""
        spacing = self.stored.canonical().spacing_mm
        return spacing[axis.row_axis], spacing[axis.column_axis]

    def spread(self, axis: Axis, count: int) -> list[int]:
        """Return slices evenly spread from the first to the last labelled one, both included.

        One between them that lies half a step or less beside a prompted slice gives way to it,
        unless that would leave mostly prompted slices, on which nothing was found but drawn.
        Numbers count within the part; fewer where it has fewer labelled slices.
        """
        stack = axis.to_stack(self.labels)
        low, stop = range_of(stack, axis=0) or (0, len(stack))
        slices = sorted({round(float(place)) for place in np.linspace(low, stop - 1, count)})
        shown = set(slices)
        prompted = self.prompted(axis)
        if 2 * len(prompted) > count:
            return slices
        for drawn in sorted(prompted.keys() - shown):
            beside = [index for index in slices[1:-1] if index in shown - prompted.keys()]
            nearest = min(beside, key=lambda index: abs(index - drawn), default=drawn)
            if abs(nearest - drawn) <= (stop - 1 - low) / (count - 1) / 2:
                shown = shown - {nearest} | {drawn}
        return sorted(shown)

    def fullest(self, axis: Axis) -> int:
        """Return the slice of the part with the most labelled pixels, the first of several."""
        # One slice at a time: along several, NumPy counts in a copy.
        counts = [np.count_nonzero(one) for one in axis.to_stack(self.labels)]
        return int(np.argmax(counts)) if any(counts) else len(counts) // 2

    def stored_name(self, axis: Axis, index: int) -> str:
        """Return how the file numbers a slice of the part: its array axis i, j or k and index."""
        stored_axis, number = self.stored.stored_index(axis.value, index + self.start[axis.value])
        return f"{'ijk'[stored_axis]} {number}"

    def prompted(self, axis: Axis) -> dict[int, list[int]]:
        """Return the labels drawn on each slice of the part that was prompted."""
        drawn: dict[int, list[int]] = {}
        for prompt in self.prompts.prompts if self.prompts is not None else ():
            if prompt.axis is axis:
                index = prompt.slice_index - self.start[axis.value]
                drawn.setdefault(index, []).append(prompt.label)
        return {index: sorted(labels) for index, labels in drawn.items()}


def _check_grid(what: str, grid: Grid, scan: Grid) -> None:
    if not grid.same_as(scan):
        raise GridError(
            f"the {what} and the scan lie on different grids",
            received=f"{what}: {grid.describe()}; scan: {scan.describe()}",
            accepted="one grid for both (shape, spacing, origin and directions)",
            remedy=f"pass the {what} of this scan",
        )
