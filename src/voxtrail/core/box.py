"""A box of voxels of a scan, and its six sides: geometry alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis

Triple = tuple[int, int, int]


class Side(Enum):
    """A face of a box in RAS+; its value is the array axis and whether indices end there."""

    LEFT = (0, False)
    RIGHT = (0, True)
    POSTERIOR = (1, False)
    ANTERIOR = (1, True)
    INFERIOR = (2, False)
    SUPERIOR = (2, True)

    @property
    def axis(self) -> int:
        """RAS+ array axis that the face is perpendicular to."""
        return self.value[0]

    @property
    def upper(self) -> bool:
        """Whether the face lies at the end of its axis."""
        return self.value[1]


@dataclass(frozen=True)
class Box:
    """A box of voxels in RAS+.

    Parameters
    ----------
    start
        First voxel along each RAS+ axis.
    stop
        One past the last voxel along each RAS+ axis, above ``start``.

    Examples
    --------
    >>> box = Box((1, 2, 3), (3, 5, 7))
    >>> box.shape, np.zeros((10, 10, 10))[box.slices].shape
    ((2, 3, 4), (2, 3, 4))
    """

    start: Triple
    stop: Triple

    @property
    def shape(self) -> Triple:
        """Number of voxels along each RAS+ axis."""
        x, y, z = (stop - start for start, stop in zip(self.start, self.stop, strict=True))
        return x, y, z

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """What cuts the box out of a RAS+ array."""
        x, y, z = (slice(*ends) for ends in zip(self.start, self.stop, strict=True))
        return x, y, z

    @classmethod
    def whole(cls, shape: Sequence[int]) -> Box:
        """Return the box that is the whole scan of ``shape`` (RAS+)."""
        return cls((0, 0, 0), (shape[0], shape[1], shape[2]))

    @classmethod
    def around(cls, mask: NDArray[Any]) -> Box | None:
        """Return the smallest box around a mask; None where it is empty.

        Parameters
        ----------
        mask
            (i, j, k) bool or, where all labels are meant, labels; in RAS+ order or, for a box in
            storage order, as stored.

        Examples
        --------
        >>> mask = np.zeros((4, 5, 6), bool)
        >>> mask[1, 2:4, 5] = True
        >>> Box.around(mask)
        Box(start=(1, 2, 5), stop=(2, 4, 6))
        """
        starts, stops = [0, 0, 0], list(mask.shape)
        # First the axis across which whole planes lie in memory; each further one where the mask
        # is known to be: a large scan is read through once.
        inside = mask
        for axis in sorted(range(3), key=lambda axis: -abs(mask.strides[axis])):
            ends = range_of(inside, axis)
            if ends is None:
                return None
            starts[axis], stops[axis] = ends
            inside = inside[(slice(None),) * axis + (slice(*ends),)]
        return cls(triple(starts), triple(stops))

    def in_stack(self, axis: Axis, shape: Sequence[int]) -> tuple[slice, slice, slice]:
        """Return what cuts the box out of ``axis.to_stack(volume)``: slices, rows, columns.

        Parameters
        ----------
        axis
            The slicing direction.
        shape
            Of the scan, RAS+.

        Examples
        --------
        >>> volume = np.arange(24).reshape(2, 3, 4)
        >>> box = Box((0, 1, 2), (2, 3, 3))
        >>> cut = Axis.AXIAL.to_stack(volume)[box.in_stack(Axis.AXIAL, volume.shape)]
        >>> bool((cut == Axis.AXIAL.to_stack(volume[box.slices])).all())
        True
        """
        slices = slice(self.start[axis.value], self.stop[axis.value])
        # Rows and columns run against the body axes.
        rows, columns = (
            slice(shape[along] - self.stop[along], shape[along] - self.start[along])
            for along in (axis.row_axis, axis.column_axis)
        )
        return slices, rows, columns

    def contains(self, other: Box) -> bool:
        """Tell whether ``other`` lies wholly inside."""
        return all(
            mine <= theirs for mine, theirs in zip(self.start, other.start, strict=True)
        ) and all(mine >= theirs for mine, theirs in zip(self.stop, other.stop, strict=True))

    def within(self, bounds: Box) -> Box:
        """Return the part inside ``bounds``, which the box must overlap."""
        return Box(
            triple(map(max, self.start, bounds.start)), triple(map(min, self.stop, bounds.stop))
        )

    def moved(self, by: Sequence[int]) -> Box:
        """Return the box moved by whole voxels along each axis."""
        return Box(
            triple(n + step for n, step in zip(self.start, by, strict=True)),
            triple(n + step for n, step in zip(self.stop, by, strict=True)),
        )

    def joined(self, other: Box) -> Box:
        """Return the smallest box around both."""
        return Box(
            triple(map(min, self.start, other.start)), triple(map(max, self.stop, other.stop))
        )

    def with_range(self, axis: Axis, start: int, stop: int) -> Box:
        """Return the box with other ends along one axis."""
        starts, stops = list(self.start), list(self.stop)
        starts[axis.value], stops[axis.value] = start, stop
        return Box(triple(starts), triple(stops))

    def grown(self, by_vox: Sequence[int], sides: Iterable[Side], bounds: Box) -> Box:
        """Return the box moved outwards on some sides, as far as ``bounds`` reaches.

        Parameters
        ----------
        by_vox
            Number of voxels along each RAS+ axis; `margin_vox` turns millimetres into them.
        sides
            The faces that move.
        bounds
            The scan, or the region that a person allows.
        """
        start, stop = list(self.start), list(self.stop)
        for side in sides:
            axis = side.axis
            if side.upper:
                stop[axis] = min(stop[axis] + by_vox[axis], bounds.stop[axis])
            else:
                start[axis] = max(start[axis] - by_vox[axis], bounds.start[axis])
        return Box(triple(start), triple(stop))

    def touching_sides(self, mask: NDArray[np.bool_], bounds: Box) -> tuple[Side, ...]:
        """Return the faces that a mask reaches and beyond which ``bounds`` goes on.

        Parameters
        ----------
        mask
            Bool, RAS+, the box' own shape; may be empty.
        bounds
            The scan, or the region that a person allows.
        """
        touched = []
        for side in Side:
            ends, edges = (self.stop, bounds.stop) if side.upper else (self.start, bounds.start)
            face = np.moveaxis(mask, side.axis, 0)[-1 if side.upper else 0]
            if face.any() and ends[side.axis] != edges[side.axis]:
                touched.append(side)
        return tuple(touched)

    def to_json(self) -> dict[str, Any]:
        """Return start and stop as plain lists."""
        return {"start": list(self.start), "stop": list(self.stop)}


def range_of(mask: NDArray[Any], axis: int) -> tuple[int, int] | None:
    """Return the first index along an axis at which a mask is filled, and one past the last.

    Parameters
    ----------
    mask
        Bool or labels, of any number of axes.
    axis
        One of them.

    Returns
    -------
    tuple of int, or None
        None where the mask is empty.

    Examples
    --------
    >>> range_of(np.array([[False, True, True, False]]), axis=1)
    (1, 3)
    """
    others = tuple(other for other in range(mask.ndim) if other != axis)
    filled = np.flatnonzero(mask.any(axis=others))
    return (int(filled[0]), int(filled[-1]) + 1) if filled.size else None


def margin_vox(margin_mm: float, spacing_mm: Sequence[float]) -> Triple:
    """Return a margin in whole voxels along each RAS+ axis, rounded up.

    Examples
    --------
    >>> margin_vox(20.0, (0.75, 0.75, 3.0))
    (27, 27, 7)
    """
    # A hair less, so that 0.3 / 0.1 = 3.0000000000000004 is three voxels and not four.
    return triple([math.ceil(margin_mm / spacing - 1e-9) for spacing in spacing_mm])


def triple(values: Iterable[int]) -> Triple:
    """Return three numbers, of NumPy or not, as a tuple of int."""
    x, y, z = (int(value) for value in values)
    return x, y, z
