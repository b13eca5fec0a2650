"""Slices of a DICOM series in their order in space, and the grid that they fill.

The order is that of the positions along the normal; numbers in the header are never asked. What
is no evenly spaced stack of like slices is refused with the numbers seen: nothing is resampled.

A tilted gantry is refused although a sheared affine would place its voxels exactly: sagittal and
coronal slices would show sheared anatomy, distances by voxel size (metrics, margins, pictures)
would be wrong, and neither DICOM-based outputs nor ITK's formats hold a sheared grid. Straightening
it means resampling, which would move the labels off the scan's own voxels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.io.dicom_frames import Frame

#: LPS to RAS.
LPS_RAS = np.array([-1.0, -1.0, 1.0])

#: Direction cosines of one series may differ by this much (they are written with few digits).
_COSINE = 1e-4

#: Pixel spacings of one series may differ by this share, for the same reason.
_SPACING = 1e-4

#: Two slices nearer than this lie in one place.
SAME_PLACE_MM = 1e-2

#: A slice may lie off its even place by this share of the spacing, or by `SAME_PLACE_MM`
#: where that is more: headers round positions.
_OFF_PLACE = 0.02

#: The stack may lean from the slices' normal by this much.
TILT_DEGREES = 0.1


def stack(
    frames: Sequence[Frame], where: Path, same_pixels: Callable[[Frame, Frame], bool]
) -> tuple[list[Frame], NDArray[np.float64]]:
    """Put slices in order.

    Parameters
    ----------
    frames
        The slices of one series, in any order.
    where
        What was read, for messages.
    same_pixels
        Tells whether two slices hold the same pixels; asked of those that lie in one place, of
        which exact copies are dropped.

    Returns
    -------
    frames
        In order along the normal.
    affine
        4x4: (column, row, slice) to RAS mm.

    Raises
    ------
    ImageError
        If slices differ in size, pixel spacing or orientation, two different ones lie in one
        place, their spacing is uneven (a missing slice), or they lean (gantry tilt).
    """
    refuse_mixed(frames, where)
    normal = frames[0].normal
    ordered = sorted(frames, key=lambda frame: float(frame.position_mm @ normal))
    ordered = _without_copies(ordered, where, same_pixels)
    if len(ordered) < 2:
        raise ImageError(
            f"{where} is a one-slice volume",
            received=f"{len(ordered)} slice",
            accepted="at least two slices of one series",
            remedy="pass the folder of the whole series",
        )
    positions = np.array([frame.position_mm for frame in ordered])
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    _refuse_uneven(positions, step, normal, where)
    tilt = np.degrees(np.arccos(min(1.0, float(step @ normal) / float(np.linalg.norm(step)))))
    if tilt > TILT_DEGREES:
        raise ImageError(
            f"{where} was scanned with a tilted gantry: its slices are shifted along each other",
            received=f"a tilt of {tilt:.2f} degrees",
            accepted=f"slices above each other, to {TILT_DEGREES} degrees",
            remedy="resample it to a straight grid first (dcm2niix does)",
        )
    return ordered, affine_of(ordered[0], step)


def affine_of(first: Frame, step_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine of a stack.

    Parameters
    ----------
    first
        The slice that is numbered 0.
    step_mm
        (3,) LPS, the way from one slice to the next.

    Returns
    -------
    4x4
        (column, row, slice) to RAS mm.
    """
    affine = np.eye(4)
    affine[:3, 0] = LPS_RAS * first.along_row * first.spacing_mm[0]
    affine[:3, 1] = LPS_RAS * first.along_column * first.spacing_mm[1]
    affine[:3, 2] = LPS_RAS * step_mm
    affine[:3, 3] = LPS_RAS * first.position_mm
    # Adding 0 turns -0.0 into 0.0.
    return affine + 0.0


def allowed_off_mm(step_mm: NDArray[np.float64]) -> float:
    """Return how far a slice may lie off its even place."""
    return max(_OFF_PLACE * float(np.linalg.norm(step_mm)), SAME_PLACE_MM)


def refuse_mixed(frames: Sequence[Frame], where: Path) -> None:
    """Refuse slices that are not alike.

    Raises
    ------
    ImageError
        If they differ in size, pixel spacing or orientation; says which there are.
    """
    first = frames[0]
    sizes = Counter((frame.columns, frame.rows) for frame in frames)
    if len(sizes) > 1:
        raise _mixed(where, "sizes", [f"{n} of {x} x {y}" for (x, y), n in sizes.most_common(4)])
    spacings = Counter(frame.spacing_mm for frame in frames)
    if np.ptp(list(spacings), axis=0).max() > _SPACING * min(first.spacing_mm):
        seen = [f"{n} of {x:g} x {y:g} mm" for (x, y), n in spacings.most_common(4)]
        raise _mixed(where, "pixel spacings", seen)
    cosines = [np.concatenate((frame.along_row, frame.along_column)) for frame in frames]
    off = [np.abs(one - cosines[0]).max() > _COSINE for one in cosines]
    if any(off):
        other = frames[off.index(True)]
        raise _mixed(
            where,
            "orientations",
            [
                f"{_vectors(first)} in {first.source.name}",
                f"{_vectors(other)} in {other.source.name}",
            ],
        )


def _without_copies(
    ordered: Sequence[Frame], where: Path, same_pixels: Callable[[Frame, Frame], bool]
) -> list[Frame]:
    kept: list[Frame] = []
    for frame in ordered:
        if not kept or np.abs(frame.position_mm - kept[-1].position_mm).max() > SAME_PLACE_MM:
            kept.append(frame)
        elif not same_pixels(frame, kept[-1]):
            place = ", ".join(f"{mm:g}" for mm in frame.position_mm)
            raise ImageError(
                f"{where} has different slices in one place",
                received=f"{kept[-1].source.name} and {frame.source.name}, both at ({place}) mm",
                accepted="one slice in each place (exact copies are dropped)",
                remedy="take out the second scan, phase or reconstruction of the series",
            )
    return kept


def _refuse_uneven(
    positions: NDArray[np.float64],
    step: NDArray[np.float64],
    normal: NDArray[np.float64],
    where: Path,
) -> None:
    even = positions[0] + np.arange(len(positions))[:, None] * step
    off = np.linalg.norm(positions - even, axis=1)
    if off.max() <= allowed_off_mm(step):
        return
    gaps = np.diff(positions @ normal)
    usual, widest = float(np.median(gaps)), int(np.argmax(gaps))
    raise ImageError(
        f"{where} has unevenly spaced or missing slices",
        received=(
            f"{len(positions)} slices {gaps.min():.4g} to {gaps.max():.4g} mm apart, mostly "
            f"{usual:.4g} mm, {gaps[widest]:.4g} mm after slice {widest + 1} at "
            f"{float(positions[widest] @ normal):.4g} mm; off its place by up to {off.max():.4g} mm"
        ),
        accepted="even spacing",
        remedy="export the whole series again, or resample it to an even grid first",
    )


def _vectors(frame: Frame) -> str:
    row, column = (
        "(" + ", ".join(f"{v:.4g}" for v in vector) + ")"
        for vector in (frame.along_row, frame.along_column)
    )
    return f"row {row} column {column}"


def _mixed(where: Path, what: str, seen: Sequence[str]) -> ImageError:
    return ImageError(
        f"{where} mixes slices of different {what} in one series",
        received="; ".join(seen),
        accepted=f"{what} that are the same on every slice",
        remedy="pass the slices of one reconstruction only",
    )
