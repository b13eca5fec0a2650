"""The pixels of a DICOM object, decoded by pydicom's plug-ins once their size is known to fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.io.dicom.files import ByteSource, Header, opened
from voxtrail.io.dicom.frame_values import PER_FRAME
from voxtrail.io.refusals import DEFLATE_RATIO

#: Where the pixels of any sort begin.
_PIXELS = 0x7FE00008

#: What a file may hold besides its pixels: overlays, private elements, frame headers.
_MAX_BESIDES = 64 * 2**20

#: A voxel takes at most so many bytes in a file.
_MAX_BYTES_A_VOXEL = 4

#: How often more than its own size a file's pixels may take once decoded. JPEG 2000 and JPEG-LS
#: have no bound of their own; slices of nothing but air stay far below this one (ours).
_MAX_RATIO = 4 * DEFLATE_RATIO

_JPEG_START, _JPEG_2000_START = b"\xff\xd8", b"\xff\x4f\xff\x51"

#: JPEG markers of a frame header, JPEG-LS included; DHT (C4), JPG (C8) and DAC (CC) are none.
_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def max_decoded_bytes(header: Header) -> int:
    """Return the most bytes of pixels that a file can hold once decoded."""
    syntax = _syntax(header.elements)
    packed = syntax is not None and syntax.is_transfer_syntax and syntax.is_compressed
    return header.source.size * (_MAX_RATIO if packed else 1)


def pixels(source: ByteSource) -> NDArray[Any]:
    """Return stored values, (row, column) or (frame, row, column).

    Raises
    ------
    ImageError
        If the file holds far more than its header says, or compressed frames of another size.
        (What pydicom raises at damaged pixels is left to the caller.)
    """
    decoded: NDArray[Any] = _checked(source).pixel_array
    return decoded


def frames_at(source: ByteSource, numbers: Sequence[int]) -> Iterator[NDArray[Any]]:
    """Give the stored values, (row, column), of some frames; as `pixels`.

    Parameters
    ----------
    source
        Where they lie.
    numbers
        Which frames, from 0, in this order.
    """
    from pydicom.pixels import iter_pixels

    with opened(source) as file:
        elements = _before_pixels(file, source)
        syntax = _syntax(elements)
        if elements.get("BitsAllocated") == 1 and not (syntax and syntax.is_encapsulated):
            yield from _single_bits(file, elements, numbers)
            return
    whole_object = _checked(source)
    # In the order of the file, as pydicom decodes them.
    yield from iter_pixels(whole_object, indices=list(numbers))


def _single_bits(
    file: IO[bytes], elements: Any, numbers: Sequence[int]
) -> Iterator[NDArray[np.uint8]]:
    """Give frames of single bits, which follow each other without a gap wherever a byte ends.

    Each is read by itself: all of a body's segmentations would take gigabytes.
    """
    from pydicom.pixels.utils import unpack_bits

    implicit, _ = elements.original_encoding
    start = file.tell() + (8 if implicit else 12)  # tag, VR and length of PixelData
    rows, columns = int(elements.Rows), int(elements.Columns)
    size = rows * columns
    for number in numbers:
        first, stop = number * size, (number + 1) * size
        file.seek(start + first // 8)
        packed = file.read(-(-stop // 8) - first // 8)
        if len(packed) * 8 < size:
            raise ValueError(f"frame {number} breaks off")
        bits = unpack_bits(packed)
        yield bits[first % 8 :][:size].reshape(rows, columns)


def _checked(source: ByteSource) -> Any:
    """Return pydicom's data set of a source whose frames are of the size that its header says."""
    elements = _whole(source)
    if elements.file_meta.TransferSyntaxUID.is_encapsulated:
        for stream in _streams(elements):
            _refuse_other_size(stream, elements, source)
    return elements


def _whole(source: ByteSource) -> Any:
    """Return pydicom's data set of a source, pixels included, the headers of frames left out."""
    import pydicom

    with opened(source) as file:
        elements = _before_pixels(file, source)
        elements.update(
            pydicom.filereader.read_dataset(cast("Any", file), *elements.original_encoding)
        )
    return elements


def _before_pixels(file: IO[bytes], source: ByteSource) -> Any:
    """Return pydicom's data set of what comes before the pixels, and go to them.

    Raises
    ------
    ImageError
        If the file holds far more than its header says.
    """
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    elements = pydicom.filereader.read_partial(
        cast("Any", file), stop_when=lambda tag, vr, length: tag >= PER_FRAME, force=True
    )
    expected = _MAX_BYTES_A_VOXEL * int(elements.get("NumberOfFrames") or 1)
    expected *= int(elements.get("Rows") or 0) * int(elements.get("Columns") or 0)
    besides = _MAX_BESIDES + (source.frames_end or 0)
    if source.size > expected + besides:
        raise ImageError(
            f"{source.name} holds far more than its header says",
            received=f"{source.size} bytes",
            accepted=f"at most {besides} bytes besides {expected} of pixels",
            remedy="export the series again",
        )
    if source.frames_end is not None:
        file.seek(source.frames_end)
    later = pydicom.filereader.read_dataset(
        cast("Any", file),
        *elements.original_encoding,
        stop_when=lambda tag, vr, length: tag >= _PIXELS,
    )
    elements.update(later)
    if "TransferSyntaxUID" not in elements.file_meta:
        # A file without preamble has no file meta either; it can only be uncompressed.
        implicit, _ = elements.original_encoding
        elements.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        )
    return elements


def _syntax(elements: Any) -> Any:
    return elements.file_meta.get("TransferSyntaxUID")


def _streams(elements: Any) -> Iterator[bytes]:
    from pydicom.encaps import generate_frames
    from pydicom.uid import RLELossless

    # RLE (PackBits) cannot grow to more than 64 times its size, and has no size of its own.
    if elements.file_meta.TransferSyntaxUID != RLELossless:
        frames = int(elements.get("NumberOfFrames") or 1)
        yield from generate_frames(elements.PixelData, number_of_frames=frames)


def _refuse_other_size(stream: bytes, elements: Any, source: ByteSource) -> None:
    """Refuse a compressed frame whose own header promises another image: it would be decoded."""
    found = _size_of(stream)
    expected = int(elements.Rows), int(elements.Columns), 1
    if found != expected:
        raise ImageError(
            f"{source.name}: a compressed frame is of another size than its DICOM header says",
            received="no size" if found is None else _spelled(found),
            accepted=_spelled(expected),
            remedy="export the series again",
        )


def _spelled(size: tuple[int, int, int]) -> str:
    rows, columns, components = size
    return f"{rows} rows of {columns} pixels of {components} component"


def _size_of(stream: bytes) -> tuple[int, int, int] | None:
    """Return rows, columns and components that a JPEG, JPEG-LS or JPEG 2000 stream promises.

    Source: ISO/IEC 15444-1 A.5.1 (SIZ), ISO/IEC 10918-1 B.2.2 (frame header).
    """
    start = stream.find(_JPEG_2000_START, 0, 4096)  # boxes may come first
    if start >= 0:
        words = np.frombuffer(stream[start + 8 : start + 40], ">u4")
        if len(words) < 8:
            return None
        right, bottom, left, top = (int(n) for n in words[:4])
        return bottom - top, right - left, int.from_bytes(stream[start + 40 : start + 42], "big")
    place = 2 if stream.startswith(_JPEG_START) else len(stream)
    while place + 10 <= len(stream) and stream[place] == 0xFF:
        marker = stream[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in _FRAME_MARKERS:
            rows, columns = np.frombuffer(stream[place + 5 : place + 9], ">u2")
            return int(rows), int(columns), stream[place + 9]
        else:
            place += 2 + int.from_bytes(stream[place + 2 : place + 4], "big")
    return None
