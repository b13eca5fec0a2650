"""Outlined slices in and out: a label map on the scan's grid, or JSON.

In a label map only the outlined slices are filled; every axial slice (axial in the body's sense,
however the file is stored) with a voxel that is not 0 is a mask prompt for each label that occurs
on it, and says nothing of the others. The JSON format is described in
`voxtrail.io.prompts.document`; it alone holds other axes, boxes, points, names and empty masks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import OutputError, PromptError
from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.images import write
from voxtrail.io.labels import read_labels
from voxtrail.io.prompts import document
from voxtrail.io.registry import suffix_of, written_suffixes
from voxtrail.io.structures import chosen

#: A larger JSON file is refused: parsed, JSON can take 20 times its size in memory.
MAX_JSON_BYTES = 64 * 2**20

_JSON = (".json",)

AnyPath = str | os.PathLike[str]


def read_prompts(path: AnyPath, like: Volume, structures: Sequence[str] = ()) -> Prompts:
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

    Returns
    -------
    Prompts
        Slices, masks and coordinates in the canonical frame of `voxtrail.core.axis.Axis`.

    Raises
    ------
    PromptError
        If the file is missing or not such JSON, nothing is prompted, or a prompt cannot be used:
        outside the scan, malformed, of an impossible label, or the second in its place.
    GridError
        If it was drawn on another grid than the scan's; the message says both.
    ImageError
        If the label map cannot be read.
    OptionError
        If there is no structure of a name that is wanted.
    """
    place = Path(path)
    if suffix_of(place, _JSON):
        return _only(document.parse(_text(place), like.stored), structures, place)
    labels = read_labels(place, like=like, structures=structures)
    if not labels.stored.same_as(like.stored):
        raise document.other_grid(labels.stored, like.stored)
    return Prompts(_mask_prompts(labels, place), like.stored, labels.names)


def write_prompts(prompts: Prompts, path: AnyPath, force: bool = False) -> None:
    """Write prompts for `read_prompts` to read; whole or not at all.

    Parameters
    ----------
    prompts
        What was drawn.
    path
        A `.json` file, or a label map, which holds outlined axial slices only.
    force
        Whether an existing file may be replaced.

    Raises
    ------
    PromptError
        If a label map cannot hold them: other axes, boxes, points, empty masks, overlapping ones.
    OutputError
        If the suffix is not known, the folder is not there or not writable, or the file exists
        and ``force`` is not set.
    """
    place = check_prompts_output(path, force)
    if suffix_of(place, _JSON):
        with replacing(place, force) as temporary:
            temporary.write_text(document.dump(prompts), encoding="utf-8")
    else:
        write(_label_map(prompts), place, force)


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
    )


def _mask_prompts(labels: LabelMap, path: Path) -> tuple[MaskPrompt, ...]:
    stack = Axis.AXIAL.to_stack(labels.voxels)  # (slice, row, column)
    filled = np.flatnonzero(stack.any(axis=(1, 2)))
    found = {int(index): [int(n) for n in np.unique(stack[index]) if n] for index in filled}
    if not found:
        raise PromptError(
            f"{path} has no prompted slice",
            received="a label map of zeros",
            accepted="at least one axial slice with a voxel that is not 0",
            remedy="outline the structure on a few axial slices",
        )
    pixels = stack[0].size
    document.check_mask_pixels(pixels * sum(len(present) for present in found.values()))
    return tuple(
        MaskPrompt(label, Axis.AXIAL, index, stack[index] == label)
        for index, present in found.items()
        for label in present
    )


def _label_map(prompts: Prompts) -> LabelMap:
    canonical = prompts.stored.canonical()
    voxels = np.zeros(canonical.shape, dtype=np.uint16)
    stack = Axis.AXIAL.to_stack(voxels)  # a view: (slice, row, column)
    for prompt in prompts.prompts:
        if not isinstance(prompt, MaskPrompt) or prompt.axis is not Axis.AXIAL:
            raise _not_in_a_label_map("prompts other than outlined axial slices", prompt.label)
        if not prompt.mask.any():
            raise _not_in_a_label_map("an empty mask", prompt.label)
        if stack[prompt.slice_index][prompt.mask].any():
            raise _not_in_a_label_map("masks that overlap", prompt.label)
        stack[prompt.slice_index][prompt.mask] = prompt.label
    return LabelMap(voxels, prompts.stored, prompts.names)


def _not_in_a_label_map(what: str, label: int) -> PromptError:
    return PromptError(
        f"a label map cannot hold {what}",
        received=f"label {label}",
        accepted="outlined axial slices without overlap",
        remedy="write the prompts as .json",
    )
