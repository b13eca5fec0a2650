"""Where voxels are: a shape and an affine, and the way from any storage order to RAS+.

Pure geometry without voxels. A file is stored in one of 48 axis orders; everything inside voxtrail
is RAS+ (index 0 grows to the patient's right, 1 to the front, 2 upwards). The change is a
permutation and flips of axes, never a resampling, so it is undone exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box, triple
from voxtrail.core.header_geometry import HeaderGeometry
from voxtrail.errors import ImageError

FloatArray = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)

#: Most voxels along an axis: more than any scan has, and few enough to count in.
MAX_SIDE = 2**31 - 1
#: Two affines are the same grid when every voxel's centre moves by less than this share of a voxel.
SAME_GRID_VOXELS = 1e-3


@dataclass(frozen=True)
class Orientation:
    """How a stored array becomes RAS+: a transposition followed by flips.

    Parameters
    ----------
    axes
        For the canonical axes right, anterior, superior: the stored axis that runs along each.
    flips
        For the same three: whether the stored axis runs the other way.

    Examples
    --------
    >>> lps = Orientation(axes=(0, 1, 2), flips=(True, True, False))
    >>> lps.to_canonical(np.arange(2).reshape(2, 1, 1)).ravel()
    array([1, 0])
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def to_canonical(self, stored: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return a view of ``stored`` (3-D, storage order) in RAS+ order."""
        canonical = stored.transpose(self.axes)
        return canonical[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]

    def to_stored(self, canonical: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return a view of ``canonical`` (3-D, RAS+) in storage order; undoes `to_canonical`."""
        flipped = canonical[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]
        return flipped.transpose(tuple(int(axis) for axis in np.argsort(self.axes)))


@dataclass(frozen=True, eq=False)
class Grid:
    """The shape of a voxel array and its place in the patient.

    Parameters
    ----------
    shape
        Number of voxels along the three array axes.
    affine
        4x4 float64: voxel index (homogeneous) to RAS millimetres. May be oblique and anisotropic.
    header
        How the header that it was read from says so, where programs may differ in it; else None.
        It goes where the grid goes, so that what is written on it carries the same words.

    Raises
    ------
    ImageError
        If the affine holds NaN or infinity, is singular, or a side of the shape is zero.

    Examples
    --------
    >>> Grid((4, 5, 6), np.diag([-0.5, -0.5, 2.0, 1.0])).orientation()
    Orientation(axes=(0, 1, 2), flips=(True, True, False))
    """

    shape: tuple[int, int, int]
    affine: FloatArray
    header: HeaderGeometry | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        accepted = "a finite 4x4 affine whose three columns span space"
        remedy = "repair the header (its orientation or spacing is broken) and read it again"
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ImageError(
                "the affine is not a finite 4x4 matrix",
                received=affine.tolist(),
                accepted=accepted,
                remedy=remedy,
            )
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        # Relative to the column lengths, so that neither tiny nor huge voxels count as singular.
        volume = abs(np.linalg.det(affine[:3, :3] / lengths)) if (lengths > 0).all() else 0.0
        if volume < 1e-6:
            raise ImageError(
                "the affine is singular: its voxels have no volume",
                received=affine[:3, :3].tolist(),
                accepted=accepted,
                remedy=remedy,
            )
        if len(self.shape) != 3 or min(self.shape) < 1 or max(self.shape) > MAX_SIDE:
            raise ImageError(
                "the image is not a volume",
                received=f"shape {tuple(self.shape)}"[:200],
                accepted=f"three axes of 1 to {MAX_SIDE} voxels",
                remedy="pass one 3-D image",
            )
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along the three array axes in millimetres."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def places(self) -> tuple[FloatArray, ...]:
        """Every place that a reader may give the voxels, the grid's own first; see `header`."""
        return self.header.places if self.header else (self.affine,)

    @property
    def itk_affine(self) -> FloatArray:
        """As `affine`: where ITK sees the voxels, and with it 3D Slicer, ITK-SNAP and ANTs."""
        return self.header.itk if self.header else self.affine

    def orientation(self) -> Orientation:
        """Return how an array on this grid becomes RAS+.

        The assignment of array axes to body axes is the one, of all six, under which the axes
        point along the body most; an oblique scan keeps its obliqueness.
        """
        axes, signs = nearest_axes(self.affine[:3, :3])
        return Orientation(axes, (signs[0] < 0, signs[1] < 0, signs[2] < 0))

    def canonical(self) -> Grid:
        """Return the grid of the same voxels in RAS+ order."""
        orientation = self.orientation()
        affine = np.eye(4)
        origin = self.affine[:3, 3].copy()
        for body, (array, flip) in enumerate(zip(orientation.axes, orientation.flips, strict=True)):
            column = self.affine[:3, array]
            affine[:3, body] = -column if flip else column
            if flip:
                origin = origin + column * (self.shape[array] - 1)
        affine[:3, 3] = origin
        shape = tuple(self.shape[axis] for axis in orientation.axes)
        return Grid((shape[0], shape[1], shape[2]), affine)

    def stored_index(self, axis: int, index: int) -> tuple[int, int]:
        """Translate an index along a RAS+ axis of an array that is stored on this grid.

        Parameters
        ----------
        axis
            RAS+ axis: 0 right, 1 anterior, 2 superior.
        index
            Voxel index along it, from 0.

        Returns
        -------
        tuple of int
            The stored axis, and the index along it.

        Examples
        --------
        >>> Grid((4, 5, 6), np.diag([-1.0, 1.0, 1.0, 1.0])).stored_index(0, 3)
        (0, 0)
        """
        orientation = self.orientation()
        stored_axis = orientation.axes[axis]
        flipped = orientation.flips[axis]
        return stored_axis, self.shape[stored_axis] - 1 - index if flipped else index

    def stored_voxel(self, voxel: Sequence[int]) -> tuple[int, int, int]:
        """Translate a voxel from RAS+ to the order in which this grid is stored."""
        placed = [0, 0, 0]
        for axis, index in enumerate(voxel):
            stored_axis, placed_index = self.stored_index(axis, int(index))
            placed[stored_axis] = placed_index
        return placed[0], placed[1], placed[2]

    def stored_box(self, box: Box) -> Box:
        """Translate a box from RAS+ to the order in which this grid is stored."""
        # Both corners belong to the box; a flip swaps which of them comes first.
        corners = [self.stored_voxel(box.start), self.stored_voxel([n - 1 for n in box.stop])]
        return _box_of(corners)

    def canonical_box(self, box: Box) -> Box:
        """Translate a box of this grid as stored to RAS+; undoes `stored_box`."""
        orientation = self.orientation()
        corners = []
        for corner in (box.start, [n - 1 for n in box.stop]):
            corners.append(
                [
                    self.shape[stored] - 1 - corner[stored] if flip else corner[stored]
                    for stored, flip in zip(orientation.axes, orientation.flips, strict=True)
                ]
            )
        return _box_of(corners)

    def same_as(self, other: Grid) -> bool:
        """Tell whether both grids put every voxel's centre at the same place.

        Stored affines carry rounding, so centres may differ by `SAME_GRID_VOXELS` of a voxel.
        """
        if self.shape != other.shape:
            return False
        corners = np.array(
            [[x, y, z, 1.0] for x in (0, 1) for y in (0, 1) for z in (0, 1)]
        ) * np.array([*(n - 1 for n in self.shape), 1.0])
        moved = (corners @ (self.affine - other.affine).T)[:, :3]
        return bool(np.abs(moved).max() <= SAME_GRID_VOXELS * min(self.spacing_mm))

    def describe(self) -> str:
        """Return one line for messages: shape, spacing, origin and axis directions."""
        letters = ("LR", "PA", "IS")
        orientation = self.orientation()
        codes = [""] * 3
        for body, (array, flip) in enumerate(zip(orientation.axes, orientation.flips, strict=True)):
            codes[array] = letters[body][0 if flip else 1]
        spacing = " x ".join(f"{s:.4g}" for s in self.spacing_mm)
        origin = ", ".join(f"{o:.4g}" for o in self.affine[:3, 3])
        shape = " x ".join(str(n) for n in self.shape)
        return f"{shape} voxels of {spacing} mm, origin ({origin}) mm, axes {''.join(codes)}"

    def to_json(self) -> dict[str, Any]:
        """Return shape and affine as plain lists."""
        return {"shape": list(self.shape), "affine": self.affine.tolist()}


def nearest_axes(columns: FloatArray) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return which column of a 3x3 matrix runs along each row's axis most, and which way.

    Returns
    -------
    tuple
        For each row: the column (each once), and 1 or -1.
    """
    cosines = columns / np.linalg.norm(columns, axis=0)  # [row, column]
    axes = max(
        permutations(range(3)),
        key=lambda order: sum(abs(cosines[row, column]) for row, column in enumerate(order)),
    )
    x, y, z = (-1 if cosines[row, column] < 0 else 1 for row, column in enumerate(axes))
    return (axes[0], axes[1], axes[2]), (x, y, z)


def _box_of(corners: Sequence[Sequence[int]]) -> Box:
    """Return the box of which two opposite voxels are given."""
    return Box(triple(map(min, *corners)), triple(n + 1 for n in map(max, *corners)))
