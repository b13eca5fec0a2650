"""Slices of a DICOM series in their order in space, and the grid that they fill.

The order is that of the positions along the normal; numbers in the header are never asked. What
is no evenly spaced stack of like slices is refused with the numbers seen: nothing is resampled.
What headers round is let pass, and where it moves a voxel's centre the stack's notes say how far.
What is mended and what is refused, a tilted gantry among it: docs/decisions/0009.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.io.dicom.even_places import even_places
from voxtrail.io.dicom.frames import FrameHeader
from voxtrail.io.dicom.notes import notes as notes_of

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


#: Tells whether two slices hold the same pixels.
SamePixels = Callable[[FrameHeader, FrameHeader], bool]


@dataclass(frozen=True, eq=False)
class OrderedFrames:
    """Slices in order.

    Parameters
    ----------
    frames
        By rising position along the normal.
    affine
        4x4: (column, row, slice) to RAS mm.
    notes
        What was let pass or left out, with the numbers, for the run's record.
    """

    frames: tuple[FrameHeader, ...]
    affine: NDArray[np.float64]
    notes: tuple[str, ...]


def stack(
    frames: Sequence[FrameHeader],
    where: Path,
    same_pixels: Callable[[FrameHeader, FrameHeader], bool],
) -> OrderedFrames:
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
    OrderedFrames
        Slices in order along the normal.

    Raises
    ------
    ImageError
        If slices differ in size, pixel spacing or orientation, two different ones lie in one
        place, their spacing is uneven (a missing slice), or they lean (gantry tilt).
    """
    refuse_mixed(frames, where)
    normal = frames[0].normal
    by_place = sorted(frames, key=lambda frame: float(frame.position_mm @ normal))
    ordered = _without_copies(by_place, where, same_pixels)
    if len(ordered) < 2:
        raise ImageError(
            f"{where} is a one-slice volume",
            received=f"{len(ordered)} slice",
            accepted="at least two slices of one series",
            remedy="pass the folder of the whole series",
        )
    positions = np.array([frame.position_mm for frame in ordered])
    start, step = positions[0], (positions[-1] - positions[0]) / (len(ordered) - 1)
    off_mm = _off_mm(positions, start, step)
    if off_mm.max() > allowed_off_mm(step):
        units = np.min([frame.last_digit_mm for frame in ordered], axis=0)
        rounded = even_places(positions, units, ordered[0].stated_mm)
        if rounded is None:
            raise _uneven(positions, off_mm, normal, where)
        start, step = rounded
        off_mm = _off_mm(positions, start, step)
    tilt = np.degrees(np.arccos(min(1.0, float(step @ normal) / float(np.linalg.norm(step)))))
    if tilt > TILT_DEGREES:
        raise ImageError(
            f"{where} was scanned with a tilted gantry: its slices are shifted along each other",
            received=f"a tilt of {tilt:.2f} degrees",
            accepted=f"slices above each other, to {TILT_DEGREES} degrees",
            remedy="resample it to a straight grid first (dcm2niix does)",
        )
    notes = notes_of(len(by_place) - len(ordered), off_mm, step, tilt, ordered)
    affine = affine_of(replace(ordered[0], position_mm=start), step)
    return OrderedFrames(tuple(ordered), affine, notes)


def affine_of(first: FrameHeader, step_mm: NDArray[np.float64]) -> NDArray[np.float64]:
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


def refuse_mixed(frames: Sequence[FrameHeader], where: Path) -> None:
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
    ordered: Sequence[FrameHeader],
    where: Path,
    same_pixels: Callable[[FrameHeader, FrameHeader], bool],
) -> list[FrameHeader]:
    kept: list[FrameHeader] = []
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


def _off_mm(
    positions: NDArray[np.float64], start: NDArray[np.float64], step: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far each slice lies off its even place."""
    even = start + np.arange(len(positions))[:, None] * step
    return np.asarray(np.linalg.norm(positions - even, axis=1))


def _uneven(
    positions: NDArray[np.float64],
    off: NDArray[np.float64],
    normal: NDArray[np.float64],
    where: Path,
) -> ImageError:
    gaps = np.diff(positions @ normal)
    usual, widest = float(np.median(gaps)), int(np.argmax(gaps))
    return ImageError(
        f"{where} has unevenly spaced or missing slices",
        received=(
            f"{len(positions)} slices {gaps.min():.4g} to {gaps.max():.4g} mm apart, mostly "
            f"{usual:.4g} mm, {gaps[widest]:.4g} mm after slice {widest + 1} at "
            f"{float(positions[widest] @ normal):.4g} mm; off its place by up to {off.max():.4g} mm"
        ),
        accepted="even spacing",
        remedy="export the whole series again, or resample it to an even grid first",
    )


def _vectors(frame: FrameHeader) -> str:
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
