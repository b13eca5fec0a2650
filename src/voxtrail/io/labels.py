"""The door for label maps in: whatever the format, whole numbers with names, on the scan's grid."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.alignment import on_grid
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import ImageError
from voxtrail.io.format import LabelRequest
from voxtrail.io.refusals import MAX_BYTES, MAX_LABEL, of_file, refuse_far, refuse_unreadable
from voxtrail.io.registry import label_format_of
from voxtrail.io.structures import chosen

#: A label map stored with a scale factor (some tools save whole numbers so) comes back whole only
#: to within half a step of 65535 steps over the range of the labels.
WHOLE = 1e-3

AnyPath = str | os.PathLike[str]


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
        The scan that was labelled: labels come back on its grid, whatever order they are stored in
        and whatever part of it they cover, if their voxels lie on its own; what lies beyond it is
        left out, and `LabelMap.notes` says so. An RT Structure Set, which has no grid, needs it.
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
        65535 or NaN; for DICOM also if frames or contours do not lie on the slices of one grid,
        contours are not closed, or it names another frame of reference than the scan.
    GridError
        If its voxels do not lie on those of ``like``; says how far they are off, and where.
    OptionError
        If there is no structure of a name that is wanted.
    """
    place = Path(path)
    refuse_unreadable(place)
    known = label_format_of(place)
    assert known.read_labels is not None  # `label_format_of` gives no other
    frame = like.provenance.frame_of_reference if like else ""
    asked = LabelRequest(like.stored if like else None, frame, tuple(structures), max_bytes)
    image = known.read_labels(place, asked)
    refuse_far(image.affine, str(path))
    try:
        layers = [whole_labels(layer, path) for layer in (image.voxels, *image.further)]
        stored = image.grid
    except ImageError as error:
        raise of_file(path, error) from error
    canonical = [stored.orientation().to_canonical(layer) for layer in layers]
    # Where the header of a label map gives two places, the scan's decides.
    notes = () if like and not known.needs_scan else image.provenance.notes
    labels = LabelMap(canonical[0], stored, image.names, further=tuple(canonical[1:]), notes=notes)
    if structures and not known.check_source:  # DICOM's readers chose
        labels = _only(labels, structures, place)
    return labels if like is None else on_grid(labels, like.stored, place.name)


def fills_grid(path: AnyPath) -> bool:
    """Tell whether a file of labels has a grid of its own, so that it needs no ``like``.

    Raises
    ------
    ImageError
        If it cannot be read, or is DICOM without labels.
    """
    place = Path(path)
    refuse_unreadable(place)
    return not label_format_of(place).needs_scan


def whole_labels(voxels: NDArray[Any], path: AnyPath) -> NDArray[Any]:
    """Return labels as uint8 or uint16, whichever suffices.

    Parameters
    ----------
    voxels
        Labels of any real data type.
    path
        Whose they are, for messages.

    Raises
    ------
    ImageError
        With the offending value, if one is fractional, negative, above 65535 or NaN.
    """
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
    listed = labels.listed()
    kept = chosen({label: labels.name(label) for label in listed}, structures, path)
    names = {label: name for label, name in labels.names.items() if label in kept}
    return labels.renumbered({label: 0 for label in listed if label not in kept}, names)


def _no_labels(path: AnyPath, kind: str, value: object) -> ImageError:
    return ImageError(
        f"{path} is not a label map: a value is {kind}",
        received=value,
        accepted=f"whole numbers from 0 (background) to {MAX_LABEL}",
        remedy="pass the labels, not the scan or probabilities",
    )
