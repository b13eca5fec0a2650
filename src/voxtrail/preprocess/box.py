"""A box of voxels of a scan, and its six sides: geometry alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

    def grown(self, by_vox: Sequence[int], sides: Iterable[Side], shape: Sequence[int]) -> Box:
        """Return the box moved outwards on some sides, as far as the scan reaches.

        Parameters
        ----------
        by_vox
            Number of voxels along each RAS+ axis; `margin_vox` turns millimetres into them.
        sides
            The faces that move.
        shape
            Of the scan, RAS+.
        """
        start, stop = list(self.start), list(self.stop)
        for side in sides:
            axis = side.axis
            if side.upper:
                stop[axis] = min(stop[axis] + by_vox[axis], shape[axis])
            else:
                start[axis] = max(start[axis] - by_vox[axis], 0)
        return Box(triple(start), triple(stop))

    def touching_sides(self, mask: NDArray[np.bool_], shape: Sequence[int]) -> tuple[Side, ...]:
        """Return the faces that a mask reaches and beyond which the scan goes on.

        Parameters
        ----------
        mask
            Bool, RAS+, the box' own shape; may be empty.
        shape
            Of the scan, RAS+.
        """
        touched = []
        for side in Side:
            at_end = self.stop[side.axis] == shape[side.axis]
            scan_ends = at_end if side.upper else self.start[side.axis] == 0
            face = mask.take(-1 if side.upper else 0, axis=side.axis)
            if face.any() and not scan_ends:
                touched.append(side)
        return tuple(touched)

    def to_json(self) -> dict[str, Any]:
        """Return start and stop as plain lists."""
        return {"start": list(self.start), "stop": list(self.stop)}


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
