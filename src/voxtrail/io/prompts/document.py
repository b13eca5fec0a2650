"""Prompts as JSON, the format ``voxtrail-prompts/1``.

::

    {"format": "voxtrail-prompts/1",
     "grid": {"shape": [512, 512, 90], "affine": [[...], [...], [...], [...]]},
     "labels": {"1": "hip_left"},
     "prompts": [
       {"label": 1, "axis": "axial", "slice": 41, "mask_rle": {"shape_xy": [...], "counts": [...]}},
       {"label": 1, "axis": "coronal", "slice": 200, "box_xyxy": [100, 30, 180, 75]},
       {"label": 1, "axis": "sagittal", "slice": 9, "points_xy": [[7, 8]], "positive": [true]}]}

- Everything is counted in voxels of the STORED file, from 0, at voxel centres. ``slice`` counts
  along the stored axis that runs along the body axis (for ``axial``: the one that runs most
  along the body's length, in whichever direction it is stored). Of the two other stored axes, x
  runs along the lower-numbered one and y along the higher-numbered one.
- ``mask_rle``: run lengths over the mask's pixels, x fastest, beginning with a run of zeros (see
  `voxtrail.io.prompts.run_length`). A mask without a pixel says "nothing here".
- ``box_xyxy``: left, top, right, bottom (lower x, lower y, higher x, higher y); the voxels of both
  corners belong to the box. ``points_xy`` with ``positive``: on the structure (true) or off it.
  Coordinates may be fractional; a voxel reaches half a voxel beyond its centre.
- Labels are whole numbers from 1 to 65535; ``labels`` names them and may be left out. On a slice of
  an axis a label has at most one mask or box, and one entry of clicks, which corrects it.
- ``grid``, the stored shape and affine (voxel to RAS mm) on which voxels are counted, may be left
  out and is the scan's then; if it is there, its voxels must lie on the scan's. No other keys are
  allowed.

Examples
--------
A box on the lowest slice of a scan that is stored in LPS order, 4 x 5 x 6 voxels:

>>> lps = Grid((4, 5, 6), np.diag([-1.0, -1.0, 1.0, 1.0]))
>>> prompts = parse('''{"format": "voxtrail-prompts/1", "prompts": [
...     {"label": 1, "axis": "axial", "slice": 0, "box_xyxy": [0, 1, 2, 3]}]}''', lps)
>>> prompts.prompts[0].box_xyxy
(0, 1, 2, 3)

The same box for the same scan stored in RAS+ order, where x and y run the other way:

>>> print(dump(Prompts(prompts.prompts, lps.canonical())).splitlines()[-2])
{"label": 1, "axis": "axial", "slice": 0, "box_xyxy": [1, 1, 3, 3]}
"""

from __future__ import annotations

import json
from math import prod
from typing import Any, NoReturn

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import PointPrompt, Prompts
from voxtrail.core.prompts_on_grid import as_stored, put_on
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.errors import ImageError, PromptError
from voxtrail.io.prompts import entry as prompt_entry
from voxtrail.io.refusals import MAX_LABEL, refuse_far

FORMAT = "voxtrail-prompts/1"

#: More prompts than this are not drawn by people; they are refused before masks are unpacked.
MAX_PROMPTS = 100_000

#: All masks of a file together may have this many pixels (each takes a byte once unpacked).
MAX_MASK_PIXELS = 2**30

#: Longest name of a label.
_MAX_NAME = 200

#: What the grid of a file is called in messages and notes.
_GRID = "the prompts' grid"

_KEYS = {"format", "grid", "labels", "prompts"}


def parse(text: str, stored: Grid) -> Prompts:
    """Build the prompts that ``text`` describes.

    Parameters
    ----------
    text
        The file's content.
    stored
        The scan's grid as stored.

    Raises
    ------
    PromptError
        If it is not such JSON, or any prompt cannot be used.
    GridError
        If it was drawn on another grid.
    """
    document = _document(text)
    drawn_on, notes = stored, tuple[str, ...]()
    if "grid" in document:
        drawn_on, notes = as_stored(_grid(document["grid"]), stored, _GRID)
    names = _names(document.get("labels", {}))
    entries = document.get("prompts")
    if not isinstance(entries, list) or not entries:
        _refuse("there is no prompted slice", entries, "a list of at least one prompt")
    if len(entries) > MAX_PROMPTS:
        _refuse("there are too many prompts", len(entries), f"at most {MAX_PROMPTS}")
    frames = {axis: SliceFrame.of(drawn_on, axis) for axis in Axis}
    check_mask_pixels(
        sum(
            prod(frames[axis].shape_xy)
            for entry in entries
            for axis in Axis
            if isinstance(entry, dict) and "mask_rle" in entry and entry.get("axis") == axis.label
        )
    )
    prompts = []
    seen = set()
    for number, entry in enumerate(entries):
        prompt = prompt_entry.parse(entry, f"prompt {number}", frames)
        clicks = isinstance(prompt, PointPrompt)
        place = (prompt.label, prompt.axis, prompt.slice_index, clicks)
        if place in seen:
            _refuse(
                f"prompt {number} is a second one for the same label, axis and slice",
                f"label {entry['label']}, {entry['axis']} slice {entry['slice']}",
                "one mask or box per label, axis and slice, and one entry of clicks",
            )
        seen.add(place)
        prompts.append(prompt)
    drawn = Prompts(tuple(prompts), drawn_on, names, notes)
    return put_on(drawn, stored, _GRID)


def dump(prompts: Prompts) -> str:
    """Return the text from which `parse` builds ``prompts`` again; one prompt a line."""
    frames = {axis: SliceFrame.of(prompts.stored, axis) for axis in Axis}
    entries = ",\n".join(
        json.dumps(prompt_entry.dump(prompt, frames), ensure_ascii=False)
        for prompt in prompts.prompts
    )
    names = {str(label): name for label, name in sorted(prompts.names.items())}
    return (
        f'{{"format": "{FORMAT}",\n'
        f'"grid": {json.dumps(prompts.stored.to_json())},\n'
        f'"labels": {json.dumps(names, ensure_ascii=False)},\n'
        f'"prompts": [\n{entries}\n]}}\n'
    )


def check_mask_pixels(pixels: int) -> None:
    """Refuse masks that would take too much memory, before any is unpacked.

    Raises
    ------
    PromptError
        If there are more than `MAX_MASK_PIXELS`.
    """
    if pixels > MAX_MASK_PIXELS:
        _refuse(
            "the outlined slices take too much memory",
            f"{pixels / 2**30:.4g} GiB of masks",
            f"at most {MAX_MASK_PIXELS / 2**30:.4g} GiB",
            "outline fewer slices, or fewer labels at a time",
        )


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise PromptError(
            "the prompts are not JSON",
            received=f"{type(error).__name__}: {error}"[:200],
            accepted=f"a {FORMAT} document",
            remedy="correct the file",
        ) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        received = document.get("format") if isinstance(document, dict) else type(document).__name__
        _refuse("the prompts are of an unknown format", received, f'"format": "{FORMAT}"')
    if not set(document) <= _KEYS:
        _refuse("the prompts have unknown keys", sorted(set(document) - _KEYS), f"{sorted(_KEYS)}")
    return document


def _grid(value: Any) -> Grid:
    try:
        if not isinstance(value, dict) or set(value) != {"shape", "affine"}:
            raise TypeError("not an object of shape and affine")
        affine = np.array(value["affine"], dtype=np.float64)
        refuse_far(affine, "grid")
        return Grid(tuple(value["shape"]), affine)
    # Whatever JSON holds instead of a grid ends here: lists of other things, other depths.
    except (TypeError, ValueError, OverflowError, ImageError) as error:
        raise PromptError(
            "grid of the prompts is not a grid",
            received=str(error)[:200],
            accepted='{"shape": [i, j, k], "affine": 4 x 4 numbers}',
            remedy="correct the file, or leave grid out",
        ) from error


def _names(value: Any) -> dict[int, str]:
    accepted = f'an object such as {{"1": "hip_left"}}, numbers from 1 to {MAX_LABEL}'
    if not isinstance(value, dict):
        _refuse("labels of the prompts are not an object", value, accepted)
    names = {}
    for key, name in value.items():
        # str(int()) rules out signs, spaces, leading zeros and other scripts' digits.
        if not (key.isdecimal() and len(key) <= 5 and str(int(key)) == key):
            _refuse("labels of the prompts name what is not a label", key, accepted)
        if not 1 <= int(key) <= MAX_LABEL:
            _refuse("labels of the prompts name what is not a label", key, accepted)
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
            _refuse(
                f"the name of label {key} is not a name",
                repr(name),
                f"1 to {_MAX_NAME} printable characters",
            )
        names[int(key)] = name
    return names


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that occurs twice, of which Python would keep the last."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError(f"a key occurs twice among {[key for key, _ in pairs][:8]}")
    return document


def _refuse(
    what: str, received: object, accepted: str, remedy: str = "correct the prompts file"
) -> NoReturn:
    raise PromptError(what, received=str(received)[:200], accepted=accepted, remedy=remedy)
