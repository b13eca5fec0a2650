"""CT series as DICOM: a folder, a zip or a list of files; read only. The parsing is pydicom's.

Classic slices and enhanced multi-frame objects, with or without suffix, preamble and UIDs, in
whatever compression pydicom's plug-ins decode. One series is read; several are listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.provenance import Provenance, SliceFile
from voxtrail.io.dicom import series as dicom_series
from voxtrail.io.dicom.files import SUFFIXES, ByteSource, headers, is_dicom, sources
from voxtrail.io.dicom.frames import FrameHeader, frames_of, refuse_colour
from voxtrail.io.dicom.pixels import max_decoded_bytes, pixels
from voxtrail.io.dicom.stack import stack
from voxtrail.io.format import Format, ScanRequest, StoredImage
from voxtrail.io.refusals import reading, refuse_size


def read(places: Sequence[Path], request: ScanRequest) -> StoredImage:
    """Read one CT series.

    Parameters
    ----------
    places
        One folder, one zip, or files.
    request
        What is asked: the series by its UID, its number or ``#N`` in the list.

    Returns
    -------
    StoredImage
        (column, row, slice) in HU, slices by rising position along the normal (the cross product
        of the directions of row and column): int16 or int32 where slope and intercept of every
        slice are whole, else float32.

    Raises
    ------
    ImageError
        If there is no CT series, or several and none is chosen; if a file is damaged; if slices
        do not make an even stack (see `voxtrail.io.dicom.stack`); if it is too large.
    OptionError
        If the request names none of them.
    """
    where = places[0] if len(places) == 1 else places[0].parent
    with sources(places) as found:
        single_files = not places[0].is_dir() and len(found) == len(places)
        read_headers = headers(found, only_dicom=single_files and len(places) > 1)
        series_found = dicom_series.find(read_headers, where)
        chosen = dicom_series.choose(series_found, request.series, where)
        frames: list[FrameHeader] = []
        for image in chosen.images:
            with reading(Path(image.source.name), "DICOM"):
                refuse_colour(image)
                frames.extend(frames_of(image))
        shape = (frames[0].columns, frames[0].rows, len(frames))
        with reading(where, "DICOM"):
            holds = sum(max_decoded_bytes(image) for image in chosen.images)
            bytes_a_voxel = _stored_bytes(chosen)
        refuse_size(shape, bytes_a_voxel, where, max_bytes=request.max_bytes, file_holds=holds)
        stacked = stack(frames, where, _same_pixels)
        provenance = Provenance(
            slices=tuple(
                SliceFile(f.source.path, f.source.member, f.number) for f in stacked.frames
            ),
            notes=(
                *_left_out(
                    others=len(read_headers) - sum(len(one.images) for one in series_found),
                    other_series=len(series_found) - 1,
                ),
                *stacked.notes,
            ),
            frame_of_reference=chosen.frame_of_reference,
        )
        return StoredImage(_hounsfield(stacked.frames), stacked.affine, provenance=provenance)


def _stored_bytes(chosen: dicom_series.CtSeries) -> int:
    """Return how many bytes a voxel takes in the files, at least."""
    bits = [int(image.elements.get("BitsAllocated") or 16) for image in chosen.images]
    return max(min(bits) // 8, 1)


def _left_out(*, others: int, other_series: int) -> tuple[str, ...]:
    """Say what of a folder was not read."""
    counted = {
        "DICOM objects that are no CT slices (overview images, reports)": others,
        "other series": other_series,
    }
    return tuple(f"left out: {n} {what}" for what, n in counted.items() if n)


def _hounsfield(ordered: Sequence[FrameHeader]) -> NDArray[Any]:
    """Return (column, row, slice) HU of slices in order."""
    first = ordered[0]
    whole_numbers = all(f.slope.is_integer() and f.intercept.is_integer() for f in ordered)
    # Whole factors of 16-bit values stay far within 32 bits; anything larger goes as float32.
    small = all(abs(f.slope) <= 2**8 and abs(f.intercept) <= 2**24 for f in ordered)
    dtype = np.int32 if whole_numbers and small else np.float32
    stacked = np.empty((len(ordered), first.rows, first.columns), dtype)
    places: dict[ByteSource, list[int]] = {}
    for place, frame in enumerate(ordered):
        places.setdefault(frame.source, []).append(place)
    for source, held in places.items():
        with reading(Path(source.name), "DICOM"):
            stored = pixels(source).reshape(-1, first.rows, first.columns)
            for place in held:
                frame = ordered[place]
                values = stored[frame.number].astype(np.float64)
                stacked[place] = values * frame.slope + frame.intercept
    if dtype is np.int32:
        limits = np.iinfo(np.int16)
        if limits.min <= stacked.min() and stacked.max() <= limits.max:
            stacked = stacked.astype(np.int16)
    return stacked.transpose(2, 1, 0)  # (column, row, slice)


def _same_pixels(frame: FrameHeader, other: FrameHeader) -> bool:
    # Decoding a multi-frame object anew for each of its frames could take for ever.
    if frame.source == other.source or frame.number or other.number:
        return False
    # In Hounsfield units: a copy may be compressed, or scaled, in another way.
    return np.array_equal(_hounsfield([frame]), _hounsfield([other]))


FORMAT = Format(
    name="DICOM CT series",
    suffixes=SUFFIXES,
    recognises=is_dicom,
    read_scan=read,
    several_files=True,
    read_as="scan",
    found_as="a folder, files of any name",
)
