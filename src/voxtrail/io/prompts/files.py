"""Outlined slices in and out: a label map on the scan's grid, or JSON.

In a label map only the outlined slices are filled: axial, coronal or sagittal ones (in the body's
sense, however the file is stored), or several that cross; see `voxtrail.io.prompts.planes`. Each is
a mask prompt for each label that was outlined on it, and says nothing of the others. The JSON
format is described in `voxtrail.io.prompts.document`; it alone holds boxes, clicks and empty masks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import OutputError, PromptError
from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.images import write
from voxtrail.io.labels import read_labels
from voxtrail.io.prompts import document
from voxtrail.io.prompts.planes import Outlined, decide
from voxtrail.io.registry import suffix_of, written_suffixes
from voxtrail.io.structures import chosen

#: A larger JSON file is refused: parsed, JSON can take 20 times its size in memory.
MAX_JSON_BYTES = 64 * 2**20

_JSON = (".json",)

AnyPath = str | os.PathLike[str]


def read_prompts(
    path: AnyPath,
    like: Volume | LabelMap,
    structures: Sequence[str] = (),
    planes: Sequence[Axis] = (),
) -> Prompts:
    """Read what was drawn on a scan.

    Parameters
    ----------
    path
        A `.json` file, or a label map in any format that `read_labels` reads, a part of the scan's
        grid or contours on it included.
    like
        The scan on which it was drawn.
    structures
        Names of the structures that are wanted; all by default. A label without a name is called
        by its number.
    planes
        The planes in which a label map was outlined, where it does not show; axial by default if
        that has the fewest filled slices.

    Returns
    -------
    Prompts
        Slices, masks and coordinates in the canonical frame of `voxtrail.core.axis.Axis`; with
        notes of what was understood.

    Raises
    ------
    PromptError
        If the file is missing or not such JSON, nothing is prompted, or a prompt cannot be used:
        outside the scan, malformed, of an impossible label, or the second in its place; or if the
        plane of a label map's outlines cannot be told.
    GridError
        If its voxels do not lie on the scan's; the message says how far they are off, and where.
    ImageError
        If the label map cannot be read.
    OptionError
        If there is no structure of a name that is wanted.
    """
    place = Path(path)
    if suffix_of(place, _JSON):
        return _only(document.parse(_text(place), like.stored), structures, place)
    labels = read_labels(place, like=like, structures=structures)
    drawn, notes = _mask_prompts(labels, place, planes)
    return Prompts(drawn, like.stored, labels.names, (*labels.notes, *notes))


def write_prompts(prompts: Prompts, path: AnyPath, force: bool = False) -> None:
    """Write prompts for `read_prompts` to read; whole or not at all.

    Parameters
    ----------
    prompts
        What was drawn.
    path
        A `.json` file, or a label map, which holds outlines whose plane shows in it.
    force
        Whether an existing file may be replaced.

    Raises
    ------
    PromptError
        If a label map cannot hold them: boxes, points, empty masks, overlapping ones, and outlines
        of which others would be read from it.
    OutputError
        If the suffix is not known, the folder is not there or not writable, or the file exists
        and ``force`` is not set.
    """
    place = check_prompts_output(path, force)
    if suffix_of(place, _JSON):
        with replacing(place, force) as temporary:
            temporary.write_text(document.dump(prompts), encoding="utf-8")
    else:
        write(_label_map(prompts, place), place, force)


def check_prompts_output(path: AnyPath, force: bool = False) -> Path:
    """Refuse an output that `write_prompts` would refuse, before any work is done.

    Raises
    ------
    OutputError
        As `write_prompts`.
    """
    place = Path(path)
    if not suffix_of(place, (*written_suffixes(), *_JSON)):
        raise OutputError(
            f"{place}: prompts cannot be written in a format of this suffix",
            received=place.suffix or "(none)",
            accepted=", ".join((*written_suffixes(), *_JSON)),
            remedy="end the output's name in one of them",
        )
    return check_writable(place, force)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise PromptError(
                f"{path} is too large for a prompts file",
                received=f"{size / 2**20:.0f} MiB",
                accepted=f"at most {MAX_JSON_BYTES / 2**20:.0f} MiB",
                remedy="outline fewer slices, or pass a label map",
            )
        # A byte-order mark, which some editors write, is dropped.
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # no UTF-8, or a name that no file can have
        raise PromptError(
            f"{path} cannot be read",
            received=getattr(error, "strerror", None) or error,
            accepted="a readable JSON file in UTF-8",
            remedy="correct the path or the file",
        ) from error


def _only(prompts: Prompts, structures: Sequence[str], path: Path) -> Prompts:
    called = {label: prompts.name(label) for label in {*prompts.labels(), *prompts.names}}
    kept = chosen(called, structures, path)
    return Prompts(
        tuple(one for one in prompts.prompts if one.label in kept),
        prompts.stored,
        {label: name for label, name in prompts.names.items() if label in kept},
        prompts.notes,
    )


def _mask_prompts(
    labels: LabelMap, path: Path, planes: Sequence[Axis]
) -> tuple[tuple[MaskPrompt, ...], list[str]]:
    """Return a mask for each outlined slice of each label, and what was understood."""
    boxes = labels.boxes()
    if not boxes:
        raise PromptError(
            f"{path} has no prompted slice",
            received="a label map of zeros",
            accepted="at least one slice with a voxel that is not 0",
            remedy="outline the structure on a few slices",
        )
    masks = {label: labels.mask(label, box) for label, box in boxes.items()}
    found = decide(masks, planes, path)
    shape = labels.voxels.shape
    pixels = sum(
        len(slices) * shape[axis.row_axis] * shape[axis.column_axis]
        for outlined in found.values()
        for axis, slices in outlined.items()
    )
    document.check_mask_pixels(pixels)
    drawn = []
    for label, outlined in found.items():
        box, mask = boxes[label], masks[label]
        for axis, slices in outlined.items():
            numbers = (index + box.start[axis.value] for index in slices)
            drawn += [MaskPrompt.cut(label, axis, number, mask, box, shape) for number in numbers]
    return tuple(drawn), _understood(found, boxes, labels)


def _understood(
    found: Mapping[int, Outlined],
    boxes: Mapping[int, Box],
    labels: LabelMap,
) -> list[str]:
    """Say on which slices each label was taken to be outlined, where that is not axial ones."""
    said = []
    for label, outlined in found.items():
        if set(outlined) == {Axis.AXIAL}:
            continue
        start = boxes[label].start
        parts = []
        for axis, slices in outlined.items():
            numbers = sorted(
                labels.stored.stored_index(axis.value, index + start[axis.value])[1]
                for index in slices
            )
            parts.append(f"{axis.label} slices {', '.join(map(str, numbers))}")
        said.append(f"{labels.name(label)}: taken as outlined on {' and '.join(parts)} (as stored)")
    return said


def _label_map(prompts: Prompts, path: Path) -> LabelMap:
    """Return the label map from which the same prompts are read again.

    Raises
    ------
    PromptError
        If there is none.
    """
    voxels = np.zeros(prompts.stored.canonical().shape, dtype=np.uint16)
    drawn = {}
    for prompt in prompts.prompts:
        if not isinstance(prompt, MaskPrompt):
            raise _not_in_a_label_map("boxes and clicks", prompt.label)
        if not prompt.mask.any():
            raise _not_in_a_label_map("an empty mask", prompt.label)
        part = prompt.axis.to_stack(voxels)[prompt.slice_index]  # a view: (row, column)
        if np.isin(part[prompt.mask], (0, prompt.label), invert=True).any():
            raise _not_in_a_label_map("masks of two labels that overlap", prompt.label)
        part[prompt.mask] = prompt.label
        drawn[prompt.label, prompt.axis, prompt.slice_index] = prompt.mask
    labels = LabelMap(voxels, prompts.stored, prompts.names)
    try:
        again, _ = _mask_prompts(labels, path, ())
    except PromptError as error:
        raise _not_in_a_label_map(
            "these outlines: their plane could not be told", error.received
        ) from error
    read = {(one.label, one.axis, one.slice_index): one.mask for one in again}
    for place in {*drawn, *read}:
        if place not in read or place not in drawn or not (read[place] == drawn[place]).all():
            raise _not_in_a_label_map(
                "these outlines: others would be read from it",
                f"label {place[0]}, {place[1].label} slices",
            )
    return labels


def _not_in_a_label_map(what: str, received: object) -> PromptError:
    return PromptError(
        f"a label map cannot hold {what}",
        received=received if isinstance(received, str) else f"label {received}",
        accepted="outlined slices without overlap, few enough that their plane shows",
        remedy="write the prompts as .json",
    )
