"""What a person should know of how a DICOM series was read although it is not quite even.

`voxtrail.io.dicom.stack` refuses what is beyond rounding. What it lets pass is said here, with the
numbers, where it moves the centre of a voxel; the run's record keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import SAME_GRID_VOXELS
from voxtrail.io.dicom.frames import FrameHeader

#: A lean of this much moves a slice by a thousandth of a voxel in six slices of cubic voxels.
_LEAN_DEGREES = 0.01

FloatArray = NDArray[np.float64]


def notes(
    copies: int,
    off_mm: FloatArray,
    step_mm: FloatArray,
    lean_degrees: float,
    frames: Sequence[FrameHeader],
) -> tuple[str, ...]:
    """Return one line for each thing that was left out, corrected or let pass.

    Parameters
    ----------
    copies
        How many exact copies of slices were left out.
    off_mm
        (slices,) how far each slice lies off its even place.
    step_mm
        (3,) LPS, the way from one slice to the next.
    lean_degrees
        By how much that way leans from the slices' normal.
    frames
        The slices in order.
    """
    said = [
        _copies(copies),
        _off(off_mm, float(np.linalg.norm(step_mm))),
        _lean(lean_degrees),
        _differing(frames),
        _skewed(frames[0]),
    ]
    return tuple(line for line in said if line)


def _copies(copies: int) -> str:
    return f"left out: {copies} exact copies of slices" if copies else ""


def _off(off_mm: FloatArray, spacing_mm: float) -> str:
    moved = np.count_nonzero(off_mm > SAME_GRID_VOXELS * spacing_mm)
    if not moved:
        return ""
    return (
        f"placed evenly: {moved} of {len(off_mm)} slices, which headers put up to "
        f"{off_mm.max():.3g} mm off the even spacing of {spacing_mm:.6g} mm"
    )


def _lean(degrees: float) -> str:
    if degrees <= _LEAN_DEGREES:
        return ""
    return f"kept: the stack of slices leans by {degrees:.3g} degrees from their normal"


def _differing(frames: Sequence[FrameHeader]) -> str:
    """Say that slices are not quite alike, where the corner of one lies elsewhere for it."""
    side = max(frames[0].columns, frames[0].rows)
    vectors = np.array([np.concatenate((one.along_row, one.along_column)) for one in frames])
    spacings = np.array([one.spacing_mm for one in frames])
    turned = float(np.abs(vectors - vectors[0]).max())
    scaled = float(np.abs(spacings / spacings[0] - 1).max())
    if max(turned, scaled) * side <= SAME_GRID_VOXELS:
        return ""
    return (
        f"taken from the lowest slice: directions, which differ by up to {turned:.2g}, and pixel "
        f"spacings, which differ by up to {scaled:.2%}"
    )


def _skewed(frame: FrameHeader) -> str:
    """Say that directions are no unit vectors at a right angle, where a corner is off for it."""
    row, column = frame.along_row, frame.along_column
    miss = float(max(abs(row @ column), abs(row @ row - 1) / 2, abs(column @ column - 1) / 2))
    if miss * max(frame.columns, frame.rows) <= SAME_GRID_VOXELS:
        return ""
    return f"kept: directions that miss unit length or right angle by {miss:.2g}"
