"""The doors for images: a scan in, a scan or a label map out.

Whatever the format, the same things are refused here: voxels that are no numbers, a single slice,
a place that cannot be written to.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import ImageError, OptionError, OutputError
from voxtrail.io import label_files
from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.format import ScanRequest, StoredImage
from voxtrail.io.labels import whole_labels
from voxtrail.io.refusals import MAX_BYTES, of_file, refuse_far, refuse_unreadable
from voxtrail.io.registry import scan_format_of, writer_of, written_suffixes

AnyPath = str | os.PathLike[str]


def read(
    path: AnyPath | Sequence[AnyPath], series: str | None = None, *, max_bytes: int = MAX_BYTES
) -> Volume:
    """Read a scan.

    Parameters
    ----------
    path
        A file of any known format; for DICOM a folder, a zip or a list of files.
    series
        Which series of several in DICOM: its UID, its number or ``#N``, the N-th in the list that
        reading without it gives.
    max_bytes
        The most memory that its voxels may take.

    Returns
    -------
    Volume
        Hounsfield units in RAS+ order: the stored integer type, or float32.

    Raises
    ------
    ImageError
        If it is missing, truncated, damaged, no image, not 3-D, a single slice, too large, of
        voxels that are not finite real numbers, or without a usable place in space; for DICOM
        also if slices do not make an even stack, or there are several series and none is chosen.
    OptionError
        If there is no such series.
    """
    places = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(one) for one in path]
    image = _scan(places, series, max_bytes)
    path = places[0]
    shape = image.voxels.shape
    if min(shape) < 2:
        raise ImageError(
            f"{path} is a one-slice volume",
            received=" x ".join(str(n) for n in shape),
            accepted="at least two voxels along every axis",
            remedy="pass the whole scan, not one slice of it",
        )
    voxels = image.voxels
    if voxels.dtype.kind == "f":
        # Values beyond float32 become infinite and are refused with the others.
        with np.errstate(over="ignore"):
            voxels = voxels.astype(np.float32, copy=False)
        wrong = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
        if wrong:
            raise ImageError(
                f"{path} has NaN or infinite voxels",
                received=f"{wrong} of {voxels.size}",
                accepted="finite numbers",
                remedy="replace them (air is -1000 HU) and save it again",
            )
    refuse_far(image.affine, str(path))
    try:
        stored = replace(image, voxels=voxels).grid
        return Volume(stored.orientation().to_canonical(voxels), stored, image.provenance)
    except ImageError as error:
        raise of_file(path, error) from error


def write(image: LabelMap | Volume, path: AnyPath, force: bool = False) -> tuple[Path, ...]:
    """Write an image on the grid that it was read from: shape, affine and axis order as stored.

    Every file appears whole or not at all.

    Parameters
    ----------
    image
        A label map (in the smallest of uint8 and uint16 that holds its labels) or a scan (in its
        own data type; float16 as float32).
    path
        The file; its suffix chooses the format. Surfaces of several labels that do not fit one
        file get a file each, ``NAME.LABEL.SUFFIX``.
    force
        Whether an existing file may be replaced.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    OutputError
        If the suffix is not known, the folder is not there or not writable, or the file exists
        and ``force`` is not set; if a package is missing, or the format holds labels only, or
        needs a scan that came as DICOM, or cannot hold these labels.
    ImageError
        If labels are above 65535.
    """
    place = check_output(path, force, of=image)
    known = writer_of(place)
    if isinstance(image, LabelMap):
        layers = [whole_labels(layer, "the label map") for layer in image.layers]
        whole = image.with_layers(layers, image.stored)
        return label_files.write(whole, place, known, force)
    if known.write_scan is None:
        raise OutputError(
            f"{place}: {known.name} holds labels only",
            received="a scan",
            accepted=", ".join(written_suffixes()),
            remedy="write the scan in one of them",
        )
    voxels = image.to_stored()
    if voxels.dtype == np.float16:
        voxels = voxels.astype(np.float32)  # no format has half precision
    with replacing(place, force) as temporary:
        known.write_scan(
            StoredImage(voxels, image.stored.affine, header=image.stored.header), temporary
        )
    return (place,)


def check_output(
    path: AnyPath, force: bool = False, *, of: LabelMap | Volume | None = None
) -> Path:
    """Refuse an output that `write` would refuse; to be called before any work is done.

    Parameters
    ----------
    path, force
        As in `write`.
    of
        The scan that will be labelled, once it is read: some formats have to refer to it.

    Raises
    ------
    OutputError
        As `write`.
    """
    place = Path(path)
    known = writer_of(place)
    known.check_installed()
    if of is not None and known.check_source:
        known.check_source(of.provenance)
    if known.one_label:
        label_files.check_taken(place, force)
    return check_writable(place, force)


def _scan(places: Sequence[Path], series: str | None, max_bytes: int) -> StoredImage:
    if not places:
        raise ImageError(
            "there is no file to read",
            received="an empty list",
            accepted="a file, a folder, a zip, or a list of DICOM files",
            remedy="name what to read",
        )
    for place in places:
        refuse_unreadable(place, folder_too=len(places) == 1)
    known = scan_format_of(places)
    assert known.read_scan is not None  # `scan_format_of` gives no other
    if series is not None and not known.several_files:
        raise OptionError(
            f"{places[0]} has no series to choose from",
            received=series,
            accepted="a series of a DICOM folder, zip or list of files",
            remedy="leave --series (series=) out",
        )
    return known.read_scan(places, ScanRequest(series, max_bytes))
