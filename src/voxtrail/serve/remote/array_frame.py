"""How an array lies in the scan that it was sent of.

Clients send arrays as SimpleITK and Slicer give them, (z, y, x), and number voxels in that order.
Only ITK-SNAP says how the scan lies in the patient. Of other clients x is taken to run to the
patient's left, y to the back and z upwards, as scanners store axial slices. Where that is wrong,
slices are called by another name and may be mirrored; nothing is resampled or moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Triple, triple
from voxtrail.core.grid import Grid
from voxtrail.core.volume import Volume
from voxtrail.errors import ImageError

Scalar = TypeVar("Scalar", bound=np.generic)

#: ITK's x and y run to the left and to the back (LPS), voxtrail's to the right and to the front.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
#: Millimetres beyond which a spacing or an origin is none.
_MAX_MM = 1e9


@dataclass(frozen=True, eq=False)
class ArrayFrame:
    """The way between arrays as a client sends them and the RAS+ scan.

    Parameters
    ----------
    stored
        The scan's grid, its voxels numbered (x, y, z).

    Examples
    --------
    >>> frame = ArrayFrame.of((9, 5, 4), (2.5, 0.7, 0.7))
    >>> frame.stored.shape, frame.voxel((8, 0, 0)), frame.axis_of(0)
    ((4, 5, 9), (3, 4, 8), <Axis.AXIAL: 2>)
    """

    stored: Grid

    @classmethod
    def of(
        cls,
        shape_zyx: Sequence[int],
        spacing_zyx: Sequence[float] = (1.0, 1.0, 1.0),
        origin_xyz: Sequence[float] = (0.0, 0.0, 0.0),
        direction: NDArray[np.float64] | None = None,
    ) -> ArrayFrame:
        """Return the frame of a scan.

        Parameters
        ----------
        shape_zyx, spacing_zyx
            Voxels, and their size in mm, along the axes of the array.
        origin_xyz
            Where the first voxel lies (LPS, mm).
        direction
            3 x 3: the directions of x, y and z in its columns (LPS); None says that x, y and z run
            to the left, to the back and upwards.

        Raises
        ------
        ImageError
            If these describe no place.
        """
        spacing = _numbers(spacing_zyx, "spacing")[::-1]
        origin = _numbers(origin_xyz, "origin")
        if min(spacing) <= 0:
            raise _bad("spacing", spacing_zyx)
        columns = np.eye(3) if direction is None else direction
        affine = np.eye(4)
        affine[:3, :3] = _LPS_TO_RAS @ columns @ np.diag(spacing)
        affine[:3, 3] = _LPS_TO_RAS @ origin
        x, y, z = (int(n) for n in reversed(shape_zyx))
        return cls(Grid((x, y, z), affine))

    @property
    def shape(self) -> Triple:
        """The shape of the arrays, (z, y, x)."""
        return triple(reversed(self.stored.shape))

    @property
    def scan_shape(self) -> Triple:
        """The shape of the scan in RAS+ order."""
        return self.stored.canonical().shape

    def volume(self, array: NDArray[Any]) -> Volume:
        """Return an array (z, y, x) as a scan; not copied."""
        return Volume(self.to_scan(array), self.stored)

    def to_scan(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return a view of an array (z, y, x), or of a part of one, in RAS+ order."""
        return self.stored.orientation().to_canonical(array.T)  # (x, y, z), then RAS+

    def to_array(self, voxels: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return a view of voxels in RAS+ order as an array (z, y, x); undoes `to_scan`."""
        return self.stored.orientation().to_stored(voxels).T

    def box_in_scan(self, box: Box) -> Box:
        """Translate a box of an array (z, y, x) to RAS+."""
        return self.stored.canonical_box(_reversed(box))

    def box_in_array(self, box: Box) -> Box:
        """Translate a box in RAS+ to one of an array (z, y, x)."""
        return _reversed(self.stored.stored_box(box))

    def voxel(self, index_zyx: Sequence[int]) -> Triple:
        """Translate a voxel of an array (z, y, x) to RAS+."""
        start = triple(index_zyx)
        return self.box_in_scan(Box(start, triple(n + 1 for n in start))).start

    def axis_of(self, array_axis: int) -> Axis:
        """Return the direction in which slices follow each other along an axis of the array."""
        return Axis(self.stored.orientation().axes.index(2 - array_axis))

    def array_axis_of(self, axis: Axis) -> int:
        """Return the axis of the array along which slices of ``axis`` follow each other."""
        return 2 - self.stored.orientation().axes[axis.value]


def _reversed(box: Box) -> Box:
    return Box(triple(reversed(box.start)), triple(reversed(box.stop)))


def _numbers(values: Sequence[float], what: str) -> NDArray[np.float64]:
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad(what, values) from error
    if found.shape != (3,) or not np.isfinite(found).all() or np.abs(found).max() > _MAX_MM:
        raise _bad(what, values)
    return found


def _bad(what: str, values: object) -> ImageError:
    return ImageError(
        f"the scan's {what} is none",
        received=str(values)[:100],
        accepted="three finite numbers in mm, a spacing's above 0",
        remedy="repair the scan's header, or leave it out",
    )
