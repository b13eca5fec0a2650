"""One slice of a CT as its DICOM header describes it, classic or enhanced multi-frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.io.dicom.even_places import last_digit_mm
from voxtrail.io.dicom.files import ByteSource, Header

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
    last_digit_mm
        (3,) what one unit of the last written digit of each coordinate of the position is.
    stated_mm
        What the header says of the distance to the next slice, the most trusted first.
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
    last_digit_mm: NDArray[np.float64]
    stated_mm: tuple[float, ...]

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
    described = max(len(header.per_frame), 1)
    if header.frames != described:
        raise _damaged(header, "NumberOfFrames", header.frames, f"{described} described")
    for number in range(header.frames):
        orientation = _numbers(header, number, "ImageOrientationPatient", 6)
        spacing = _numbers(header, number, "PixelSpacing", 2)
        along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
        sheared = abs(along_row @ along_column) > _COSINE
        if sheared or any(abs(v @ v - 1) > _COSINE for v in (along_row, along_column)):
            raise _damaged(header, "ImageOrientationPatient", orientation, "two unit vectors")
        if min(spacing) <= 0:
            raise _damaged(header, "PixelSpacing", spacing, "positive numbers")
        slope = _numbers(header, number, "RescaleSlope", 1, default=1.0)[0]
        if slope == 0:
            raise _damaged(header, "RescaleSlope", slope, "another number than 0")
        yield FrameHeader(
            source=header.source,
            number=number,
            rows=int(elements.Rows),
            columns=int(elements.Columns),
            position_mm=np.array(_numbers(header, number, "ImagePositionPatient", 3)),
            along_row=along_row,
            along_column=along_column,
            # DICOM gives the distance between rows first.
            spacing_mm=(spacing[1], spacing[0]),
            slope=slope,
            intercept=_numbers(header, number, "RescaleIntercept", 1, default=0.0)[0],
            last_digit_mm=last_digit_mm(header.value("ImagePositionPatient", number)),
            stated_mm=tuple(
                _numbers(header, number, element, 1, default=0.0)[0]
                for element in ("SpacingBetweenSlices", "SliceThickness")
            ),
        )


def _numbers(
    header: Header, frame: int, element: str, count: int, default: float | None = None
) -> list[float]:
    """Return an element of a frame as numbers."""
    value = header.value(element, frame)
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
