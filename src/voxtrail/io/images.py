"""The doors for images: a scan in, a label map in, either of them out.

Whatever the format, the same things are refused here: voxels that are no numbers, a single
slice, labels that are no labels.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import ImageError, OptionError, OutputError
from voxtrail.io import dicom, label_files
from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.format import MAX_BYTES, MAX_LABEL, StoredImage, refuse_far
from voxtrail.io.label_format import LabelFormat, Request
from voxtrail.io.registry import (
    is_known,
    part_reader_of,
    reader_of,
    writer_of,
    written_suffixes,
)
from voxtrail.io.segment_extent import on_grid
from voxtrail.io.structures import chosen

#: A label map stored with a scale factor (some tools save whole numbers so) comes back whole only
#: to within half a step of 65535 steps over the range of the labels.
WHOLE = 1e-3

#: A path is quoted up to this many characters.
_QUOTE = 500

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
        return Volume.from_stored(voxels, image.affine, image.provenance)
    except ImageError as error:
        raise _of_file(path, error) from error


def read_labels(
    path: AnyPath,
    *,
    like: Volume | LabelMap | None = None,
    structures: Sequence[str] = (),
    max_bytes: int = MAX_BYTES,
) -> LabelMap:
    """Read a label map.

    Parameters
    ----------
    path
        The file; for DICOM also a zip with one Segmentation or RT Structure Set.
    like
        The scan that was labelled. Formats that keep only a part of its grid (`.seg.nrrd`, DICOM
        Segmentation) come back on all of it where their voxels lie on the scan's, else on their
        own grid; an RT Structure Set, which has no grid, needs it. Other formats fill their grid,
        and ``like`` says nothing to them.
    structures
        Names of the structures that are wanted; all by default. A label without a name is called
        by its number.
    max_bytes
        The most memory that its voxels may take.

    Returns
    -------
    LabelMap
        uint8 or uint16, whichever suffices, in RAS+ order, with the names that the file gives.
        A DICOM Segmentation without ``like`` runs from the lowest of its frames to the highest.

    Raises
    ------
    ImageError
        As `read` (a single slice is allowed), and for labels that are fractional, negative, above
        65535 or NaN; for DICOM also if structures overlap, their frames or contours do not lie
        on the slices of one grid, contours are not closed, or it names another frame of reference
        than the scan.
    OptionError
        If there is no structure of a name that is wanted.
    """
    place = Path(path)
    _refuse_unreadable(place)
    known = part_reader_of(place)
    if known and known.read:
        frame = like.provenance.frame_of_reference if like else ""
        asked = Request(like.stored if like else None, frame, tuple(structures), max_bytes)
        image = known.read(place, asked)
    else:
        image = reader_of(place).read(place, max_bytes)
    refuse_far(image.affine, str(path))
    try:
        voxels = _whole_labels(image.voxels, path)
        labels = LabelMap.from_stored(voxels, image.affine, image.names)
    except ImageError as error:
        raise _of_file(path, error) from error
    if structures and not (known and known.refers):  # DICOM's readers chose: theirs may overlap
        labels = _only(labels, structures, place)
    return (on_grid(labels, like.stored) or labels) if known and like else labels


def fills_grid(path: AnyPath) -> bool:
    """Tell whether a file of labels has all of its scan's grid, so that it needs no ``like``.

    Raises
    ------
    ImageError
        If it cannot be read, or is DICOM without labels.
    """
    place = Path(path)
    _refuse_unreadable(place)
    return part_reader_of(place) is None


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
        voxels = _whole_labels(image.to_stored(), "the label map")
        if isinstance(known, LabelFormat):
            whole = LabelMap.from_stored(voxels, image.stored.affine, image.names, image.provenance)
            return label_files.write(whole, place, known, force)
    elif isinstance(known, LabelFormat):
        raise OutputError(
            f"{place}: {known.name} holds labels only",
            received="a scan",
            accepted=", ".join(written_suffixes()),
            remedy="write the scan in one of them",
        )
    else:
        voxels = image.to_stored()
        if voxels.dtype == np.float16:
            voxels = voxels.astype(np.float32)  # no format has half precision
    with replacing(place, force) as temporary:
        known.write(StoredImage(voxels, image.stored.affine), temporary)
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
    if isinstance(known, LabelFormat):
        known.check_installed()
        if of is not None:
            known.check_provenance(of.provenance)
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
        _refuse_unreadable(place, folder_too=len(places) == 1)
    known = len(places) == 1 and places[0].is_file() and is_known(places[0])
    if not known and (len(places) > 1 or places[0].is_dir() or dicom.is_dicom(places[0])):
        return dicom.read(places, series, max_bytes)
    if series is not None:
        raise OptionError(
            f"{places[0]} has no series to choose from",
            received=series,
            accepted="a series of a DICOM folder, zip or list of files",
            remedy="leave --series (series=) out",
        )
    return reader_of(places[0]).read(places[0], max_bytes)


def _refuse_unreadable(place: Path, *, folder_too: bool = False) -> None:
    try:
        found = place.stat()
    except FileNotFoundError:
        what, remedy = f"{place} does not exist", "correct the path"
    # A name that no file can have: too long, through a file, with a null character.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what, remedy = f"{place} cannot be looked up: {reason}", "correct the path"
    else:
        if folder_too and stat.S_ISDIR(found.st_mode):
            return
        if not stat.S_ISREG(found.st_mode):
            what, remedy = f"{place} is not a file", "pass a file"
        elif not os.access(place, os.R_OK):
            what, remedy = f"{place} may not be read", "change its permissions"
        elif found.st_size == 0:
            what, remedy = f"{place} is empty", "copy or export it again"
        else:
            return
    raise ImageError(
        what[:_QUOTE], received=str(place)[:_QUOTE], accepted="a readable image file", remedy=remedy
    )


def _whole_labels(voxels: NDArray[Any], path: AnyPath) -> NDArray[Any]:
    """Return labels as uint8 or uint16, or refuse them with the offending value."""
    whole = voxels
    if voxels.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = np.rint(voxels)
            off = ~(np.abs(voxels - whole) <= WHOLE)  # NaN and infinity are off too
        if off.any():
            worst = voxels[off][0]
            kind = "fractional" if np.isfinite(worst) else "NaN or infinite"
            raise _no_labels(path, kind, worst)
    low, high = whole.min(), whole.max()
    if low < 0:
        raise _no_labels(path, "negative", low)
    if high > MAX_LABEL:
        raise _no_labels(path, "too large", high)
    return whole.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16, copy=False)


def _only(labels: LabelMap, structures: Sequence[str], path: Path) -> LabelMap:
    kept = chosen({label: labels.name(label) for label in labels.listed()}, structures, path)
    voxels = np.where(np.isin(labels.voxels, list(kept)), labels.voxels, 0)
    names = {label: name for label, name in labels.names.items() if label in kept}
    return LabelMap(voxels, labels.stored, names, labels.provenance)


def _no_labels(path: AnyPath, kind: str, value: object) -> ImageError:
    return ImageError(
        f"{path} is not a label map: a value is {kind}",
        received=value,
        accepted=f"whole numbers from 0 (background) to {MAX_LABEL}",
        remedy="pass the labels, not the scan or probabilities",
    )


def _of_file(path: AnyPath, error: ImageError) -> ImageError:
    """Return the same refusal with the file's name in it."""
    return ImageError(
        error.what if str(path) in error.what else f"{path}: {error.what}",
        received=error.received,
        accepted=error.accepted,
        remedy=error.remedy,
    )
