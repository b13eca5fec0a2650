"""One slice of a CT as its DICOM header describes it, classic or enhanced multi-frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.io.dicom.files import ByteSource, Header

#: In an enhanced object an element stands in the item of this sequence of a functional group.
_GROUP_OF = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
}

#: Direction cosines are written with few digits; they may miss unit length and right angle by this.
_COSINE = 1e-3


@dataclass(frozen=True, eq=False)
class FrameHeader:
    """One slice.

    Parameters
    ----------
    source
        The file that holds it.
    number
        Which frame of that file it is, from 0.
    rows, columns
        Its size in pixels.
    position_mm
        (3,) LPS position of the centre of its first pixel.
    along_row, along_column
        (3,) LPS unit vectors in which the column number and the row number grow.
    spacing_mm
        Distance between columns and between rows, in this order.
    slope, intercept
        HU = slope x stored value + intercept.
    """

    source: ByteSource
    number: int
    rows: int
    columns: int
    position_mm: NDArray[np.float64]
    along_row: NDArray[np.float64]
    along_column: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    slope: float
    intercept: float

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,) LPS unit vector across the slice."""
        across = np.cross(self.along_row, self.along_column)
        normal: NDArray[np.float64] = across / np.linalg.norm(across)
        return normal


def frames_of(header: Header) -> Iterator[FrameHeader]:
    """Give the slices of one DICOM object.

    Raises
    ------
    ImageError
        If an element that says where it lies is missing or senseless.
    """
    elements = header.elements
    per_frame = elements.get("PerFrameFunctionalGroupsSequence") or []
    if header.frames != max(len(per_frame), 1):
        described = f"{max(len(per_frame), 1)} described"
        raise _damaged(header, "NumberOfFrames", header.frames, described)
    shared = elements.get("SharedFunctionalGroupsSequence") or []
    for number in range(header.frames):
        groups = [*per_frame[number : number + 1], *shared[:1]]
        orientation = _numbers(header, groups, "ImageOrientationPatient", 6)
        spacing = _numbers(header, groups, "PixelSpacing", 2)
        along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
        sheared = abs(along_row @ along_column) > _COSINE
        if sheared or any(abs(v @ v - 1) > _COSINE for v in (along_row, along_column)):
            raise _damaged(header, "ImageOrientationPatient", orientation, "two unit vectors")
        if min(spacing) <= 0:
            raise _damaged(header, "PixelSpacing", spacing, "positive numbers")
        slope = _numbers(header, groups, "RescaleSlope", 1, default=1.0)[0]
        if slope == 0:
            raise _damaged(header, "RescaleSlope", slope, "another number than 0")
        yield FrameHeader(
            source=header.source,
            number=number,
            rows=int(elements.Rows),
            columns=int(elements.Columns),
            position_mm=np.array(_numbers(header, groups, "ImagePositionPatient", 3)),
            along_row=along_row,
            along_column=along_column,
            # DICOM gives the distance between rows first.
            spacing_mm=(spacing[1], spacing[0]),
            slope=slope,
            intercept=_numbers(header, groups, "RescaleIntercept", 1, default=0.0)[0],
        )


def _numbers(
    header: Header, groups: Sequence[Any], element: str, count: int, default: float | None = None
) -> list[float]:
    """Return an element from the frame's groups, the shared ones or the object itself."""
    value = None
    for group in groups:
        items = group.get(_GROUP_OF[element])
        if items and items[0].get(element) is not None:
            value = items[0].get(element)
            break
    else:
        value = header.elements.get(element)
    if value is None or value == "":
        if default is not None:
            return [default] * count
        raise _damaged(header, element, "nothing", f"{count} numbers")
    try:
        numbers = [float(v) for v in (value if count > 1 else [value])]
    except (TypeError, ValueError):
        raise _damaged(header, element, value, f"{count} numbers") from None
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise _damaged(header, element, value, f"{count} finite numbers")
    return numbers


def refuse_colour(header: Header) -> None:
    """Refuse an object whose pixels are no plain numbers.

    Raises
    ------
    ImageError
        For colour images and palettes.
    """
    photometric = header.elements.get("PhotometricInterpretation") or "MONOCHROME2"
    samples = header.elements.get("SamplesPerPixel") or 1
    # MONOCHROME1 says how grey values are displayed (low is white). What a value means, the
    # rescale to HU, is the same in both, so nothing is inverted (DICOM PS3.3 C.7.6.3.1.2).
    if samples != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise ImageError(
            f"{header.source.name} is a colour image",
            received=f"{photometric}, {samples} samples per pixel",
            accepted="MONOCHROME1 or MONOCHROME2, one sample per pixel",
            remedy="pass the CT series itself",
        )


def _damaged(header: Header, element: str, received: object, accepted: str) -> ImageError:
    return ImageError(
        f"{header.source.name}: {element} of the DICOM header cannot be used",
        received=received,
        accepted=accepted,
        remedy="export the series again",
    )
