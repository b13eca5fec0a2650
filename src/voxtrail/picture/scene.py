"""What a contact sheet shows: the labelled part of a scan, and which of its slices.

Chooses; `voxtrail.picture.contact_sheet` draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import GridError

#: Shown around the labels, so that one sees what was left out and where in the body it is.
MARGIN_MM = 15.0


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
        region = []
        labelled = labels.voxels != 0
        for axis, (size, spacing) in enumerate(
            zip(labelled.shape, volume.grid.spacing_mm, strict=True)
        ):
            others = tuple(other for other in range(3) if other != axis)
            inside = np.flatnonzero(labelled.any(axis=others))
            low, high = (inside[0], inside[-1]) if inside.size else (0, size - 1)
            margin = round(MARGIN_MM / spacing)
            region.append(slice(max(int(low) - margin, 0), min(int(high) + 1 + margin, size)))
        x, y, z = region
        return cls(
            hu=volume.voxels[x, y, z],
            labels=labels.voxels[x, y, z],
            start=(x.start, y.start, z.start),
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

        Numbers count within the part; fewer where it has fewer labelled slices.
        """
        stack = axis.to_stack(self.labels)
        inside = np.flatnonzero(stack.any(axis=(1, 2)))
        low, high = (inside[0], inside[-1]) if inside.size else (0, len(stack) - 1)
        return sorted({round(float(place)) for place in np.linspace(low, high, count)})

    def fullest(self, axis: Axis) -> int:
        """Return the slice of the part with the most labelled pixels, the first of several."""
        counts = np.count_nonzero(axis.to_stack(self.labels), axis=(1, 2))
        return int(counts.argmax()) if counts.any() else len(counts) // 2

    def stored_name(self, axis: Axis, index: int) -> str:
        """Return how the file numbers a slice of the part: its array axis i, j or k and index."""
        orientation = self.stored.orientation()
        stored_axis = orientation.axes[axis.value]
        canonical = index + self.start[axis.value]
        last = self.stored.shape[stored_axis] - 1
        flipped = orientation.flips[axis.value]
        return f"{'ijk'[stored_axis]} {last - canonical if flipped else canonical}"

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
