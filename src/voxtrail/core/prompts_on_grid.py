"""Prompts that were drawn on a part of a scan, put on the whole of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from voxtrail.core.alignment import align, another_grid
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt, Prompts


def as_stored(drawn_on: Grid, scan: Grid, what: str) -> tuple[Grid, tuple[str, ...]]:
    """Return a grid of the same voxels, exactly where the scan's are, and notes.

    Parameters
    ----------
    drawn_on
        Where a file says that its voxels are, in any order and on any part of the scan.
    scan
        The scan's grid, as stored.
    what
        What is called so in messages and notes.

    Raises
    ------
    GridError
        If the voxels do not lie on each other.
    """
    found = align(drawn_on, scan)
    if not found.coincides:
        raise another_grid(what, drawn_on, scan, found)
    if found.covers(scan.shape):
        return scan, found.said(what)
    return Grid(drawn_on.shape, scan.affine @ found.into), found.said(what)


def put_on(drawn: Prompts, scan: Grid, what: str = "the prompts' grid") -> Prompts:
    """Return prompts on the grid of a scan that their own is a part of, or overlaps.

    Parameters
    ----------
    drawn
        On a grid whose voxels are the scan's where the two overlap, in any order; see `as_stored`.
    scan
        The scan's grid, as stored.
    what
        What is called so in messages.

    Returns
    -------
    Prompts
        On ``scan``. What lies beyond it is cut off; prompts of which nothing is left are left out,
        which a note says.

    Raises
    ------
    GridError
        If the voxels do not lie on each other, or no prompt lies within the scan.
    """
    own, notes = as_stored(drawn.stored, scan, what)
    notes = (*drawn.notes, *notes)
    if own is scan:
        return replace(drawn, stored=scan, notes=notes)
    if own.orientation() != drawn.stored.orientation():
        raise another_grid(what, drawn.stored, scan)
    part, whole = own.canonical(), scan.canonical()
    start = np.rint((np.linalg.inv(whole.affine) @ part.affine)[:3, 3]).astype(int)
    moved = [_moved(prompt, start, part.shape, whole.shape) for prompt in drawn.prompts]
    kept = tuple(prompt for prompt in moved if prompt is not None)
    if drawn.prompts and not kept:
        raise another_grid(what, drawn.stored, scan)
    if len(kept) < len(moved):
        left_out = len(moved) - len(kept)
        notes = (*notes, f"{left_out} prompts lie beyond the scan and were left out")
    return Prompts(kept, scan, drawn.names, notes)


def _moved(
    prompt: Prompt,
    start: np.ndarray,
    part: tuple[int, int, int],
    whole: tuple[int, int, int],
) -> Prompt | None:
    axis = prompt.axis
    index = prompt.slice_index + int(start[axis.value])
    if not 0 <= index < whole[axis.value]:
        return None
    # Rows and columns run against the body axes (`Axis.to_stack`): they count from the far ends.
    down, across = (
        whole[along] - part[along] - int(start[along])
        for along in (axis.row_axis, axis.column_axis)
    )
    rows, columns = whole[axis.row_axis], whole[axis.column_axis]
    match prompt:
        case MaskPrompt():
            mask = np.zeros((rows, columns), bool)
            i, j = np.nonzero(prompt.mask)
            i, j = i + down, j + across
            inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
            mask[i[inside], j[inside]] = True
            lost = bool(len(i)) and not mask.any()  # an empty mask says something too
            return None if lost else replace(prompt, slice_index=index, mask=mask)
        case BoxPrompt():
            x0, y0, x1, y1 = prompt.box_xyxy
            box = (
                max(x0 + across, 0), max(y0 + down, 0),
                min(x1 + across, columns - 1), min(y1 + down, rows - 1),
            )  # fmt: skip
            if box[0] > box[2] or box[1] > box[3]:
                return None
            return replace(prompt, slice_index=index, box_xyxy=box)
        case PointPrompt():
            pairs = [
                ((x + across, y + down), yes)
                for (x, y), yes in zip(prompt.points_xy, prompt.positive, strict=True)
                if -0.5 <= x + across <= columns - 0.5 and -0.5 <= y + down <= rows - 0.5
            ]
            if not pairs:
                return None
            points, positive = zip(*pairs, strict=True)
            return replace(prompt, slice_index=index, points_xy=points, positive=positive)
