"""Label maps out: one file, or one a label."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from voxtrail.core.volume import LabelMap
from voxtrail.errors import OutputError
from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.format import Format

#: What a label's name may hold as part of a file's name.
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")

#: How much of it: file systems take names of 255 bytes.
_NAME_LENGTH = 80


def write(labels: LabelMap, place: Path, known: Format, force: bool) -> tuple[Path, ...]:
    """Write a label map.

    Parameters
    ----------
    labels
        uint8 or uint16.
    place
        The file; where the format holds one label and there are several, each gets a file of its
        own, ``NAME.LABEL.SUFFIX`` beside it.
    known
        The format.
    force
        Whether existing files may be replaced.

    Returns
    -------
    tuple of Path
        The files, each of which appears whole or not at all.

    Raises
    ------
    OutputError
        If a file cannot be written, or the labels are none and the format needs some.
    """
    assert known.write_labels is not None  # every format that is written takes labels
    if known.needs_voxels and not labels.labels():
        raise OutputError(
            f"{place}: {known.name} cannot be empty",
            received="labels without a voxel",
            accepted="at least one labelled voxel",
            remedy="outline more slices, or write a label map",
        )
    if labels.further and not known.layers:
        raise OutputError(
            f"{place}: {known.name} has one label a voxel",
            received="labels that share voxels",
            accepted="a format that holds each label by itself",
            remedy="write .rtstruct.dcm or surfaces, or each label to a file of its own",
        )
    if not known.one_label or len(labels.listed()) == 1:
        with replacing(place, force) as temporary:
            known.write_labels(labels, temporary)
        return (place,)
    files = _by_label(labels, place)
    for path in files:
        check_writable(path, force)
    for path, label in files.items():
        voxels = np.where(labels.mask(label), label, 0).astype(labels.voxels.dtype)
        part = LabelMap(voxels, labels.stored, {label: labels.name(label)}, labels.provenance)
        with replacing(path, force) as temporary:
            known.write_labels(part, temporary)
    return tuple(files)


def check_taken(place: Path, force: bool) -> None:
    """Refuse a place where one of the files of a format with a file a label may lie.

    Raises
    ------
    OutputError
        If there is one and ``force`` is not set.
    """
    found = sorted(place.parent.glob(f"{_glob_safe(place.stem)}.*{place.suffix}"))
    if found and not force:
        check_writable(found[0], force)


def _by_label(labels: LabelMap, place: Path) -> dict[Path, int]:
    """Return the file of each label that occurs."""
    files: dict[Path, int] = {}
    for label in labels.labels():
        name = _UNSAFE.sub("_", labels.name(label)).strip("_")[:_NAME_LENGTH]
        path = place.with_name(f"{place.stem}.{name or label}{place.suffix}")
        if path in files:  # two labels of one name
            path = place.with_name(f"{place.stem}.{name}-{label}{place.suffix}")
        files[path] = label
    return files


def _glob_safe(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)
