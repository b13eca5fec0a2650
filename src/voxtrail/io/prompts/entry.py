"""One prompt of a ``voxtrail-prompts/1`` file, from and to plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt
from voxtrail.core.slice_frame import BoxXYXY, PointXY, SliceFrame
from voxtrail.errors import PromptError
from voxtrail.io.prompts import run_length
from voxtrail.io.refusals import MAX_LABEL

_PLACE = {"label", "axis", "slice"}
_DRAWN = {
    "mask_rle": {"mask_rle"},
    "box_xyxy": {"box_xyxy"},
    "points_xy": {"points_xy", "positive"},
}

#: A received value is quoted up to this many characters.
_QUOTE = 80


def parse(entry: Any, where: str, frames: Mapping[Axis, SliceFrame]) -> Prompt:
    """Build the prompt that ``entry`` describes.

    Parameters
    ----------
    entry
        A parsed JSON value.
    where
        Which entry it is, for messages.
    frames
        How the scan's file numbers the slices of each axis.

    Raises
    ------
    PromptError
        If a key is missing or unknown, the label is no label, the slice or what is drawn lies
        outside the scan, or what is drawn is malformed.
    """
    if not isinstance(entry, dict):
        _refuse(f"{where} is not an object", entry, "an object with label, axis, slice")
    drawn = [key for key in _DRAWN if key in entry]
    if len(drawn) != 1 or set(entry) != _PLACE | _DRAWN[drawn[0]]:
        _refuse(
            f"{where} has missing or unknown keys",
            sorted(entry),
            "label, axis, slice and one of: mask_rle; box_xyxy; points_xy with positive",
        )
    label = _label(entry["label"], where)
    if entry["axis"] not in [axis.label for axis in Axis]:
        _refuse(f"axis of {where} is unknown", entry["axis"], "axial, coronal, sagittal")
    axis = Axis.named(entry["axis"])
    frame = frames[axis]
    index = frame.slice_number(_slice(entry["slice"], frame.slices, where))
    if "mask_rle" in entry:
        mask = run_length.decode(entry["mask_rle"], frame.shape_xy, where)
        return MaskPrompt(label, axis, index, frame.mask_to_slice(mask))
    if "box_xyxy" in entry:
        return BoxPrompt(
            label, axis, index, frame.box_to_slice(_box(entry["box_xyxy"], frame, where))
        )
    points = _points(entry["points_xy"], frame, where)
    positive = entry["positive"]
    if (
        not isinstance(positive, list)
        or len(positive) != len(points)
        or any(type(value) is not bool for value in positive)
    ):
        _refuse(
            f"positive of {where} does not go with its points",
            positive,
            f"a list of {len(points)} times true or false",
        )
    moved = tuple(frame.point_to_slice(point) for point in points)
    return PointPrompt(label, axis, index, moved, tuple(positive))


def dump(prompt: Prompt, frames: Mapping[Axis, SliceFrame]) -> dict[str, Any]:
    """Return the entry from which `parse` builds ``prompt`` again."""
    frame = frames[prompt.axis]
    entry: dict[str, Any] = {
        "label": int(prompt.label),
        "axis": prompt.axis.label,
        "slice": int(frame.slice_number(prompt.slice_index)),
    }
    match prompt:
        case MaskPrompt():
            entry["mask_rle"] = run_length.encode(frame.mask_to_file(prompt.mask))
        case BoxPrompt():
            entry["box_xyxy"] = [_plain(value) for value in frame.box_to_file(prompt.box_xyxy)]
        case PointPrompt():
            points = (frame.point_to_file(point) for point in prompt.points_xy)
            entry["points_xy"] = [[_plain(x), _plain(y)] for x, y in points]
            entry["positive"] = [bool(value) for value in prompt.positive]
    return entry


def _label(value: Any, where: str) -> int:
    # type() rather than isinstance: true is an integer to Python, but no label.
    if type(value) is not int or not 1 <= value <= MAX_LABEL:
        _refuse(f"label of {where} is not a label", value, f"a whole number, 1 to {MAX_LABEL}")
    return value


def _slice(value: Any, slices: int, where: str) -> int:
    if type(value) is not int or not 0 <= value < slices:
        _refuse(
            f"slice of {where} is outside the scan", value, f"a whole number, 0 to {slices - 1}"
        )
    return value


def _box(value: Any, frame: SliceFrame, where: str) -> BoxXYXY:
    name = f"box_xyxy of {where}"
    if not isinstance(value, list) or len(value) != 4:
        _refuse(f"{name} is not a box", value, "four numbers: left, top, right, bottom")
    (x0, y0), (x1, y1) = (_point(corner, frame, name) for corner in (value[:2], value[2:]))
    if x0 > x1 or y0 > y1:
        _refuse(f"corners of {name} are reversed", value, "left <= right and top <= bottom")
    return x0, y0, x1, y1


def _points(value: Any, frame: SliceFrame, where: str) -> list[PointXY]:
    name = f"points_xy of {where}"
    if not isinstance(value, list) or not value:
        _refuse(f"{name} is not a list of points", value, "[[x, y], ...] with at least one point")
    return [_point(point, frame, name) for point in value]


def _point(value: Any, frame: SliceFrame, name: str) -> PointXY:
    if (
        not isinstance(value, list)
        or len(value) != 2
        or any(type(v) not in (int, float) for v in value)
    ):
        _refuse(f"{name} holds what is not a position", value, "two numbers, x and y")
    nx, ny = frame.shape_xy
    x, y = value
    # A voxel reaches half a voxel beyond its centre. (JSON can spell infinity: 1e999.)
    if not (-0.5 <= x <= nx - 0.5 and -0.5 <= y <= ny - 0.5):
        _refuse(f"{name} lies outside the slice", value, f"x 0 to {nx - 1}, y 0 to {ny - 1}")
    return x, y


def _plain(value: float) -> float:
    """Return a NumPy or Python number as JSON writes it best: whole ones without a point."""
    number = float(value)
    return int(number) if number.is_integer() else number


def _refuse(what: str, received: object, accepted: str) -> NoReturn:
    raise PromptError(
        what,
        received=str(received)[:_QUOTE],
        accepted=accepted,
        remedy="correct the prompts file; it counts voxels of the scan as stored, from 0",
    )
