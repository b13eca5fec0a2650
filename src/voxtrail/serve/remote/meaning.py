"""What an interaction means: the prompts that take the place of what is drawn on its slice.

A lasso is an outline: the truth on its slice. Boxes and clicks are prompts, which the model
understands. What is drawn *off* the structure corrects what is shown there, so that it becomes an
outline, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt
from voxtrail.serve.remote.interactions import Painted, SliceBox
from voxtrail.session.state import Place

Mask = NDArray[np.bool_]
#: Clients segment one object at a time.
LABEL = 1


def place(axis: Axis, slice_index: int) -> Place:
    """Return a slice as a place for prompts."""
    return Place(LABEL, axis, slice_index)


def of_outline(
    drawn: Painted, *, positive: bool, here: Sequence[Prompt], shown: Mask
) -> tuple[Prompt, ...]:
    """Return what an outline means.

    Parameters
    ----------
    drawn
        The outline.
    positive
        Whether the structure is inside it; else it is not, and what is shown there goes.
    here
        What is drawn on the slice. A further outline adds to one that stands as it was drawn: of a
        structure in two parts each is outlined.
    shown
        (rows, columns) bool: what is shown on the slice.
    """
    if not positive:
        return _without(drawn.axis, drawn.slice_index, drawn.mask, shown)
    mask = drawn.mask
    if len(here) == 1 and isinstance(here[0], MaskPrompt):
        mask = mask | here[0].mask
    return (MaskPrompt(LABEL, drawn.axis, drawn.slice_index, mask),)


def of_box(box: SliceBox, *, positive: bool, shown: Mask) -> tuple[Prompt, ...]:
    """Return what a box on a slice means: a prompt, or that the structure is not inside it."""
    left, top, right, bottom = box.box_xyxy
    if positive:
        corners = (float(left), float(top), float(right), float(bottom))
        return (BoxPrompt(LABEL, box.axis, box.slice_index, corners),)
    inside = np.zeros_like(shown)
    inside[top : bottom + 1, left : right + 1] = True
    return _without(box.axis, box.slice_index, inside, shown)


def of_clicks(
    axis: Axis,
    slice_index: int,
    points_xy: Sequence[tuple[float, float]],
    *,
    positive: bool,
    here: Sequence[Prompt],
    shown: Mask,
) -> tuple[Prompt, ...]:
    """Return what clicks on one slice mean.

    Clicks follow those that are there. Where nothing is drawn and something is shown, they correct
    what is shown. (Rejected: to let them correct what was tracked there, which knows nothing of
    what a person has undone or edited since, and gave less: `benchmarks/scribbles.py`.)
    """
    if not positive and not any(shown[int(y), int(x)] for x, y in points_xy):
        return ()  # nothing is shown there that could go
    means: list[Prompt] = []
    if not here and shown.any():
        means.append(MaskPrompt(LABEL, axis, slice_index, shown.copy()))
    before = [one for one in here if isinstance(one, PointPrompt)]
    points = tuple(point for one in before for point in one.points_xy)
    signs = tuple(sign for one in before for sign in one.positive)
    more = (positive,) * len(points_xy)
    means.append(PointPrompt(LABEL, axis, slice_index, (*points, *points_xy), (*signs, *more)))
    return tuple(means)


def _without(axis: Axis, slice_index: int, inside: Mask, shown: Mask) -> tuple[Prompt, ...]:
    if not (shown & inside).any():
        return ()
    return (MaskPrompt(LABEL, axis, slice_index, shown & ~inside),)
