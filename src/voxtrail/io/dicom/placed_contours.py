"""Contours of a structure set on the slices of the scan that they were drawn on.

A contour lies on the slice that is nearest to it, as other programs have it: treatment planning
systems round, and some put contours a part of a millimetre off. What cannot be told is refused: a
contour about halfway between two slices, one that runs through several, and contours of one
structure in several planes of one slice, which were drawn on a scan of thinner slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import SAME_GRID_VOXELS, Grid
from voxtrail.errors import ImageError
from voxtrail.io.dicom.stack import LPS_RAS

#: Points of one contour, and contours of one slice, lie in one plane to this share of the way from
#: a slice to the next: numbers are rounded.
_ONE_PLANE = 0.05

#: So far a contour may lie off its slice. Beyond, which slice is nearer is a matter of rounding.
_NEAREST = 0.5 - _ONE_PLANE

#: What to do about contours that are not on this scan's slices.
_REMEDY = (
    "name the scan that they were drawn on, or choose other structures with --structures "
    "(structures=)"
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlacedContours:
    """The contours of a structure on the scan's slices.

    Parameters
    ----------
    by_slice
        By stored axis and slice: (n, 2) each, voxel indices along the lower-numbered of the other
        two stored axes, and along the higher-numbered one.
    beyond, leaving, twice
        How many contours lie beyond the scan's slices, how many leave it within a slice, and how
        many are exact copies, which were left out.
    off_voxels, off_mm
        How far a contour is off its slice at most, as a share of the way to the next and in space.
    """

    by_slice: dict[tuple[int, int], list[FloatArray]]
    beyond: int
    leaving: int
    twice: int
    off_voxels: float
    off_mm: float

    def notes(self, name: str) -> list[str]:
        """Say what of a structure is not as it was drawn."""
        said = []
        if self.twice:
            said.append(f"{name}: {self.twice} exact copies of contours were left out")
        if self.beyond:
            said.append(
                f"{name}: {self.beyond} contours lie beyond the scan's slices and were left out"
            )
        if self.leaving:
            said.append(f"{name}: {self.leaving} contours leave the scan and were cut off there")
        return said


def placed(lines_mm: Sequence[FloatArray], like: Grid, path: Path, name: str) -> PlacedContours:
    """Return the closed contours of a structure on the slices that are nearest to them.

    Parameters
    ----------
    lines_mm
        (n, 3) each, LPS mm.
    like
        The scan's grid, as stored.
    path, name
        The file and what the structure is called, for messages.

    Raises
    ------
    ImageError
        If a contour lies on no slice, or several planes of contours on one.
    """
    different = {line.tobytes(): line for line in lines_mm}
    into = np.linalg.inv(like.affine)
    found: dict[tuple[int, int], list[FloatArray]] = {}
    levels: dict[tuple[int, int], float] = {}
    beyond = leaving = 0
    off_voxels = off_mm = 0.0
    for points_mm in different.values():
        points = (LPS_RAS * points_mm) @ into[:3, :3].T + into[:3, 3]  # voxel indices
        axis, level = _plane(points, path, name)
        number = int(np.rint(level))
        if not 0 <= number < like.shape[axis]:
            beyond += 1
            continue
        off = abs(level - number)
        if off > _NEAREST:
            raise _on_no_slice(
                path, name, f"a contour {off:.3g} slices off slice {number} of axis {axis}"
            )
        if abs(levels.setdefault((axis, number), level) - level) > _ONE_PLANE:
            apart = abs(levels[axis, number] - level)
            raise _on_no_slice(
                path, name, f"contours {apart:.3g} slices apart on slice {number} of axis {axis}"
            )
        off_voxels = max(off_voxels, off)
        off_mm = max(off_mm, off * like.spacing_mm[axis])
        others = [one for one in range(3) if one != axis]
        line = points[:, others]
        leaving += bool(line.min() < -1 or (line > np.array(like.shape)[others]).any())
        found.setdefault((axis, number), []).append(line)
    twice = len(lines_mm) - len(different)
    return PlacedContours(found, beyond, leaving, twice, off_voxels, off_mm)


def off_slices(placements: Sequence[PlacedContours]) -> list[str]:
    """Say how far contours are off the slices that they were put on, if they are."""
    worst = max(placements, key=lambda one: one.off_voxels, default=None)
    if worst is None or worst.off_voxels <= SAME_GRID_VOXELS:
        return []
    return [
        f"contours lie up to {worst.off_mm:.2g} mm ({worst.off_voxels:.2g} of the way to the next) "
        "off the scan's slices, and were put on the nearest"
    ]


def _plane(points: FloatArray, path: Path, name: str) -> tuple[int, float]:
    """Return the stored axis across which a contour is flat, and where on it the contour is."""
    level = points.mean(axis=0)
    bent = np.abs(points - level).max(axis=0)
    flat = np.flatnonzero(bent <= _ONE_PLANE)
    if not flat.size:
        axis = int(np.argmin(bent))
        raise _on_no_slice(
            path, name, f"a contour that runs through {np.ptp(points[:, axis]):.3g} slices"
        )
    # A contour of a voxel or two may be flat across several axes.
    axis = int(min(flat, key=lambda one: abs(level[one] - np.rint(level[one]))))
    return axis, float(level[axis])


def _on_no_slice(path: Path, name: str, received: str) -> ImageError:
    return ImageError(
        f"{path}: contours of {name} lie on no slice of the scan",
        received=received,
        accepted=f"each contour within {_NEAREST:g} of the way from a slice to the next, and one "
        "plane of contours a slice",
        remedy=_REMEDY,
    )
