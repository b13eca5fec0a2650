"""Slices as a file numbers them, and as voxtrail does.

A prompts file speaks of voxels as the scan's file stores them: the slice is counted along the
stored axis that runs along the body axis; of the two other stored axes, x runs along the
lower-numbered one and y along the higher-numbered one. Inside voxtrail a slice is what
`Axis.to_stack` cuts from the RAS+ volume. Between the two there is a swap of x and y, or none,
and a flip of each axis, or none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid

PointXY = tuple[float, float]
BoxXYXY = tuple[float, float, float, float]


@dataclass(frozen=True)
class SliceFrame:
    """How the slices of one axis of one scan are numbered.

    Every method undoes itself in its counterpart.

    Parameters
    ----------
    slices
        Number of slices.
    shape_xy
        Pixels of a slice along the stored x and y.
    flip_slice
        Whether the stored slices are counted against the RAS+ axis.
    swap
        Whether the stored x runs down the rows (and y along the columns).
    flip_column, flip_row
        Whether the stored axis runs against the columns and rows of `Axis.to_stack`.

    Examples
    --------
    An LPS scan of 4 x 5 x 6 voxels: columns and rows of an axial slice run to the patient's left
    and to the back, as stored.

    >>> frame = SliceFrame.of(Grid((4, 5, 6), np.diag([-1.0, -1.0, 1.0, 1.0])), Axis.AXIAL)
    >>> frame.point_to_slice((0, 1))
    (0, 1)

    The same scan stored in RAS+:

    >>> frame = SliceFrame.of(Grid((4, 5, 6), np.eye(4)), Axis.AXIAL)
    >>> frame.point_to_slice((3, 3)), frame.box_to_slice((2, 0, 3, 4))
    ((0, 1), (0, 0, 1, 4))
    """

    slices: int
    shape_xy: tuple[int, int]
    flip_slice: bool
    swap: bool
    flip_column: bool
    flip_row: bool

    @classmethod
    def of(cls, stored: Grid, axis: Axis) -> SliceFrame:
        """Return the frame of the slices of ``axis`` in a scan stored on ``stored``."""
        orientation = stored.orientation()
        along = orientation.axes[axis.value]
        low, high = (stored_axis for stored_axis in range(3) if stored_axis != along)
        return cls(
            slices=stored.shape[along],
            shape_xy=(stored.shape[low], stored.shape[high]),
            flip_slice=orientation.flips[axis.value],
            swap=orientation.axes[axis.column_axis] == high,
            # Rows and columns run against RAS+, so a stored axis that does too needs no flip.
            flip_column=not orientation.flips[axis.column_axis],
            flip_row=not orientation.flips[axis.row_axis],
        )

    @property
    def shape_rows_columns(self) -> tuple[int, int]:
        """Rows and columns of a slice of `Axis.to_stack`."""
        x, y = self.shape_xy
        return (x, y) if self.swap else (y, x)

    def slice_number(self, index: int) -> int:
        """Translate a slice's number, from either side to the other."""
        return self.slices - 1 - index if self.flip_slice else index

    def point_to_slice(self, point_xy: PointXY) -> PointXY:
        """Translate stored (x, y) in voxels to (column, row) in pixels."""
        column, row = point_xy[::-1] if self.swap else point_xy
        return self._flip(column, row)

    def point_to_file(self, point: PointXY) -> PointXY:
        """Translate (column, row) in pixels to stored (x, y) in voxels."""
        column, row = self._flip(*point)
        return (row, column) if self.swap else (column, row)

    def box_to_slice(self, box_xyxy: BoxXYXY) -> BoxXYXY:
        """Translate the corners of a box from stored voxels to pixels; they stay in order."""
        return _ordered(self.point_to_slice(box_xyxy[:2]), self.point_to_slice(box_xyxy[2:]))

    def box_to_file(self, box: BoxXYXY) -> BoxXYXY:
        """Translate the corners of a box from pixels to stored voxels; they stay in order."""
        return _ordered(self.point_to_file(box[:2]), self.point_to_file(box[2:]))

    def mask_to_slice(self, mask_xy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Translate a mask from stored (x, y) to (row, column)."""
        rows_columns = mask_xy if self.swap else mask_xy.T  # (row, column)
        return self._flip_mask(rows_columns)

    def mask_to_file(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Translate a mask from (row, column) to stored (x, y)."""
        rows_columns = self._flip_mask(mask)
        return rows_columns if self.swap else rows_columns.T

    def _flip(self, column: float, row: float) -> PointXY:
        rows, columns = self.shape_rows_columns
        return (
            columns - 1 - column if self.flip_column else column,
            rows - 1 - row if self.flip_row else row,
        )

    def _flip_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return mask[:: -1 if self.flip_row else 1, :: -1 if self.flip_column else 1]


def _ordered(corner: PointXY, other: PointXY) -> BoxXYXY:
    (x0, x1), (y0, y1) = sorted((corner[0], other[0])), sorted((corner[1], other[1]))
    return x0, y0, x1, y1
