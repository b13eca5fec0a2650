"""Which part of a scan is worked on: around what was drawn, or what a person asks for.

Not here: the decision to run a part again when a mask reaches the box's border (`pipeline`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box, margin_vox, triple
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt
from voxtrail.errors import OptionError, PromptError

#: The paper cuts "with a margin" without a number: ours, about the thickness of what surrounds a
#: bone, so that its edge is seen from both sides.
MARGIN_MM = 20.0

#: A click says where a structure is, not how far it reaches: ours, half of a large bone's width.
POINT_MARGIN_MM = 60.0


def around_prompts(
    prompts: Iterable[Prompt],
    shape: Sequence[int],
    spacing_mm: Sequence[float],
    margin_mm: float = MARGIN_MM,
) -> Box:
    """Return the box around what was drawn, with a margin on all six sides.

    The margin is the same in millimetres in the plane of the slices and across them. A label
    that has nothing but clicks gets at least `POINT_MARGIN_MM`. A slice on which a label is
    said to be absent (an empty mask, only negative clicks) is inside the box too, but gets
    no margin and says nothing about the other two axes.

    Parameters
    ----------
    prompts
        Of one label or of several that share the box.
    shape
        Of the scan, RAS+.
    spacing_mm
        Voxel size along the RAS+ axes.
    margin_mm
        0 or more; rounded up to whole voxels.

    Raises
    ------
    PromptError
        If nothing was drawn: no prompt, or empty masks and negative clicks only.
    OptionError
        If the margin is negative or not finite.
    """
    check_margin(margin_mm)
    prompts = tuple(prompts)
    corners: list[NDArray[np.int64]] = []
    for label in sorted({prompt.label for prompt in prompts}):
        of_label = [prompt for prompt in prompts if prompt.label == label]
        corners += _label_corners(of_label, shape, spacing_mm, margin_mm)
    if not corners:
        raise PromptError(
            "nothing was drawn to put a box around",
            received=f"{len(prompts)} prompts, none with a marked pixel",
            accepted="at least one outline, box or positive click",
            remedy="outline the structure on at least one slice",
        )
    start = np.min([pair[0] for pair in corners], axis=0)
    stop = np.max([pair[1] for pair in corners], axis=0)
    for prompt in prompts:
        axis = prompt.axis.value
        start[axis] = min(start[axis], prompt.slice_index)
        stop[axis] = max(stop[axis], prompt.slice_index + 1)
    return Box(triple(np.maximum(start, 0)), triple(np.minimum(stop, shape)))


def check_margin(margin_mm: float) -> None:
    """Refuse a margin that cannot be added.

    Raises
    ------
    OptionError
        If it is negative or not finite.
    """
    if not (math.isfinite(margin_mm) and margin_mm >= 0):
        raise OptionError(
            "a margin that cannot be added",
            received=f"{margin_mm:g} mm",
            accepted="0 mm or more",
            remedy=f"leave it at {MARGIN_MM:g}",
        )


def parse_roi(text: str, stored: Grid) -> Box:
    """Return the box that a person wrote in voxel indices of the stored file.

    Parameters
    ----------
    text
        ``x0:x1,y0:y1,z0:z1`` along the file's first, second and third axis; the first index is
        inside, the second is not; either may be left out for the scan's end.
    stored
        The scan's grid as stored.

    Raises
    ------
    OptionError
        If the text does not read so, or the region is empty or leaves the scan.

    Examples
    --------
    >>> lps = Grid((10, 20, 30), np.diag([-1.0, -1.0, 2.0, 1.0]))
    >>> parse_roi("0:4,:,25:", lps)
    Box(start=(6, 0, 25), stop=(10, 20, 30))
    """
    refusal = OptionError(
        "a region that cannot be cut out",
        received=text,
        accepted="x0:x1,y0:y1,z0:z1 within " + ",".join(f"0:{size}" for size in stored.shape),
        remedy="count voxels from 0 as stored; leave an end out to reach the scan's border",
    )
    parts = text.replace(" ", "").split(",")
    if len(parts) != 3:
        raise refusal
    start, stop = [], []
    for part, size in zip(parts, stored.shape, strict=True):
        ends = re.fullmatch(r"(\d{0,9}):(\d{0,9})", part)
        if ends is None:
            raise refusal
        low, high = int(ends[1] or 0), int(ends[2] or size)
        if not low < high <= size:
            raise refusal
        start.append(low)
        stop.append(high)
    return stored.canonical_box(Box(triple(start), triple(stop)))


def roi_text(box: Box, stored: Grid) -> str:
    """Return the text from which `parse_roi` reads ``box`` again.

    Parameters
    ----------
    box
        In RAS+ voxels.
    stored
        The scan's grid as stored.

    Examples
    --------
    >>> stored = Grid((10, 20, 30), np.diag([-1.0, 1.0, 2.0, 1.0]))
    >>> roi_text(Box((1, 2, 3), (4, 5, 6)), stored)
    '6:9,2:5,3:6'
    """
    placed = stored.stored_box(box)
    return ",".join(f"{low}:{high}" for low, high in zip(placed.start, placed.stop, strict=True))


def _label_corners(
    prompts: Sequence[Prompt],
    shape: Sequence[int],
    spacing_mm: Sequence[float],
    margin_mm: float,
) -> list[NDArray[np.int64]]:
    """Return (2, 3) start and stop with their margin for each prompt of a label that marks any."""
    extents = [(prompt, extent_of(prompt, shape)) for prompt in prompts]
    marked = [(prompt, extent) for prompt, extent in extents if extent is not None]
    # Where the label has an outline, clicks only mend it: they bring no larger margin.
    clicks_only = all(isinstance(prompt, PointPrompt) for prompt, _ in marked)
    reach_mm = max(margin_mm, POINT_MARGIN_MM) if clicks_only else margin_mm
    margin = np.array(margin_vox(reach_mm, spacing_mm))
    return [
        np.array([extent.start, extent.stop]) + np.stack([-margin, margin]) for _, extent in marked
    ]


def extent_of(prompt: Prompt, shape: Sequence[int]) -> Box | None:
    """Return the box of voxels that one prompt marks, one slice thick, or None if it marks none.

    Parameters
    ----------
    prompt
        An empty mask and clicks off the structure mark nothing.
    shape
        Of the scan, RAS+. A box or click may lie partly outside it.
    """
    pixels = _marked_pixels(prompt)
    if pixels is None:
        return None
    (top, left), (bottom, right) = pixels
    axis = prompt.axis
    row_end, column_end = shape[axis.row_axis] - 1, shape[axis.column_axis] - 1
    start, stop = [0, 0, 0], [0, 0, 0]
    start[axis.value], stop[axis.value] = prompt.slice_index, prompt.slice_index + 1
    # Rows and columns run against the body axes (`Axis.to_stack`): the last pixel comes first.
    start[axis.row_axis], stop[axis.row_axis] = row_end - bottom, row_end - top + 1
    start[axis.column_axis], stop[axis.column_axis] = column_end - right, column_end - left + 1
    return Box(triple(start), triple(stop))


def _marked_pixels(prompt: Prompt) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the first and the last (row, column) that a prompt marks, or None."""
    if isinstance(prompt, MaskPrompt):
        rows = np.flatnonzero(prompt.mask.any(axis=1))
        columns = np.flatnonzero(prompt.mask.any(axis=0))
        if not rows.size:
            return None
        return (int(rows[0]), int(columns[0])), (int(rows[-1]), int(columns[-1]))
    if isinstance(prompt, BoxPrompt):
        left, top, right, bottom = prompt.box_xyxy
        return (math.floor(top), math.floor(left)), (math.ceil(bottom), math.ceil(right))
    inside = [xy for xy, yes in zip(prompt.points_xy, prompt.positive, strict=True) if yes]
    if not inside:
        return None
    xs, ys = zip(*inside, strict=True)
    return (math.floor(min(ys)), math.floor(min(xs))), (math.ceil(max(ys)), math.ceil(max(xs)))
