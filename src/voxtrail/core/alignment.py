"""Two grids whose voxels lie on each other: however they are stored, and whatever part they cover.

A label map may be stored in another axis order than its scan, cover a part of it, or carry a place
that another program rounded. Where its voxels' centres lie on the scan's, it is put on the scan's
grid exactly; nothing is ever resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box, Triple, triple
from voxtrail.core.grid import SAME_GRID_VOXELS, Grid, Orientation, nearest_axes
from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError

#: Voxels of two grids lie on each other where no centre is farther off than this share of a voxel.
#: What programs round (cosines and origins of few digits) stays below it, and a boundary moves by
#: less than what decides on which side of it a voxel lies: docs/decisions/0015.
COINCIDENT_VOXELS = 0.05

#: A grid that holds two others may have so many voxels, or twice those of the larger.
MAX_JOINT_VOXELS = 2**30

#: What to do about labels on another grid.
DRAW_ON_SCAN = "draw them on this scan, or resample them to its grid (nearest neighbour)"


@dataclass(frozen=True)
class Alignment:
    """How the voxels of one grid lie in another.

    Parameters
    ----------
    order
        How an array on the first grid is stored as one on the second.
    box
        Where it then lies, in voxels of the second grid; may reach beyond it.
    off_voxels, off_mm
        How far a voxel's centre is off the second grid's at most, along one axis and in space.
    corner
        Where: a corner of the first grid, as stored.
    """

    order: Orientation
    box: Box
    off_voxels: float
    off_mm: float
    corner: Triple

    @property
    def into(self) -> NDArray[np.float64]:
        """4x4: stored voxel of the first grid to stored voxel of the second, in whole numbers."""
        matrix = np.eye(4)
        matrix[:3] = 0
        ends = zip(self.order.axes, self.order.flips, self.box.start, self.box.stop, strict=True)
        for axis, (own, flip, start, stop) in enumerate(ends):
            matrix[axis, own] = -1 if flip else 1
            matrix[axis, 3] = stop - 1 if flip else start
        return matrix

    def covers(self, shape: Sequence[int]) -> bool:
        """Tell whether the first is the second grid, of ``shape``, voxel for voxel as stored."""
        plain = self.order == Orientation((0, 1, 2), (False, False, False))
        return plain and self.box == Box.whole(shape)

    @property
    def coincides(self) -> bool:
        """Whether the voxels lie on each other."""
        return self.off_voxels <= COINCIDENT_VOXELS

    def put(self, voxels: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
        """Return an array on the first grid as one of ``shape`` on the second.

        What lies beyond is cut off; what is not covered is 0.
        """
        moved = self.order.to_canonical(voxels)
        if self.box == Box.whole(shape):
            return moved
        placed = np.zeros(tuple(shape), voxels.dtype)
        whole = Box.whole(shape)
        starts = np.maximum(self.box.start, whole.start)
        stops = np.minimum(self.box.stop, whole.stop)
        if (starts < stops).all():
            inside = Box(triple(starts), triple(stops))
            placed[inside.slices] = moved[inside.moved([-n for n in self.box.start]).slices]
        return placed

    def said(self, what: str) -> tuple[str, ...]:
        """Say how ``what`` was put on the second grid, where a person should know."""
        if self.off_voxels <= SAME_GRID_VOXELS:
            return ()
        return (
            f"{what} lies up to {self.off_mm:.2g} mm ({self.off_voxels:.2g} voxels) off the scan's "
            "grid, as rounding leaves it, and was put on it",
        )


def align(first: Grid, second: Grid) -> Alignment:
    """Return how the voxels of one grid lie best in another.

    Where the header of either gives several places, the two that fit best are taken.
    """
    pairs = product(first.places, second.places)
    found = [_align(first.shape, one, other) for one, other in pairs]
    return min(found, key=lambda one: one.off_voxels)


def _align(shape: Triple, first: NDArray[np.float64], second: NDArray[np.float64]) -> Alignment:
    into = np.linalg.inv(second) @ first  # stored voxel of the first to voxel of the second
    axes, signs = nearest_axes(into[:3, :3])
    whole = np.zeros((3, 3))
    whole[range(3), axes] = signs
    middle = (np.array(shape) - 1) / 2
    shift = np.rint(into[:3, :3] @ middle + into[:3, 3] - whole @ middle)
    corners = np.array(list(product(*((0, n - 1) for n in shape))))
    off = corners @ (into[:3, :3] - whole).T + into[:3, 3] - shift  # in voxels of the second
    worst = int(np.abs(off).max(axis=1).argmax())
    # So far apart that a voxel is less than a digit, nothing can be said to coincide.
    unknown = float(np.spacing(np.abs(shift)).max())
    moved = corners @ whole.T + shift
    return Alignment(
        Orientation((axes[0], axes[1], axes[2]), (signs[0] < 0, signs[1] < 0, signs[2] < 0)),
        Box(triple(moved.min(axis=0)), triple(moved.max(axis=0) + 1)),
        max(float(np.abs(off[worst]).max()), unknown),
        float(np.linalg.norm(second[:3, :3] @ off[worst])),
        triple(corners[worst]),
    )


def on_grid(labels: LabelMap, grid: Grid, what: str) -> LabelMap:
    """Return labels on a scan's grid, with notes of what a person should know.

    Parameters
    ----------
    labels
        On any grid whose voxels lie on the scan's. What lies beyond the scan is cut off.
    grid
        The scan's, as stored.
    what
        What the labels are, for messages and notes: a file's name.

    Raises
    ------
    GridError
        If the voxels do not lie on each other, or every labelled one lies beyond the scan.
    """
    found = align(labels.stored, grid)
    if not found.coincides:
        raise another_grid(what, labels.stored, grid, found)
    orientation, stored = grid.orientation(), labels.stored.orientation()
    layers = []
    cut = 0
    for layer in labels.layers:
        placed = found.put(stored.to_stored(layer), grid.shape)
        cut += int(np.count_nonzero(layer)) - int(np.count_nonzero(placed))
        layers.append(orientation.to_canonical(placed))
    notes = list(found.said(what))
    if cut:
        if not any(layer.any() for layer in layers):
            raise another_grid(what, labels.stored, grid, found)
        notes.append(f"{what}: {cut} labelled voxels lie beyond the scan and were left out")
    return labels.with_layers(layers, grid, notes)


def joint_grid(first: Grid, second: Grid) -> Grid:
    """Return the smallest grid that holds both, with the second's voxels and axis order.

    Raises
    ------
    GridError
        If the voxels of the two do not lie on each other, or they lie so far apart that what holds
        both is larger than any scan.
    """
    found = align(first, second)
    if not found.coincides:
        raise another_grid("the first", first, second, found)
    box = found.box.joined(Box.whole(second.shape))
    if box == Box.whole(second.shape):
        return second
    if prod(box.shape) > max(MAX_JOINT_VOXELS, 2 * prod(first.shape), 2 * prod(second.shape)):
        raise another_grid("the first", first, second, found)
    affine = second.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(box.start)
    return Grid(box.shape, affine)


def another_grid(what: str, theirs: Grid, scan: Grid, found: Alignment | None = None) -> GridError:
    """Return the refusal of something whose voxels do not lie on the scan's."""
    found = found or align(theirs, scan)
    if found.coincides:
        far = "nothing of it lies within the scan"
    else:
        far = (
            f"a voxel's centre is up to {found.off_mm:.4g} mm ({found.off_voxels:.3g} voxels) off, "
            f"at its corner {found.corner}"
        )
    return GridError(
        f"{what} lies on another grid than the scan",
        received=f"{theirs.describe()}; {far}",
        accepted=f"voxels on the scan's, to {COINCIDENT_VOXELS:g} of one, of {scan.describe()}",
        remedy=DRAW_ON_SCAN,
    )
