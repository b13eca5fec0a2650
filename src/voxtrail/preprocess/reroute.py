"""Windows that follow a structure, when more is drawn: moved only as far as that asks for.

What is cut from a slice decides whether its encoding and its mask can be used again. So the path
of an earlier plan (`voxtrail.preprocess.follow`) stays wherever it holds what is drawn by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box, margin_vox
from voxtrail.core.crop_path import CropPath
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import Prompt
from voxtrail.preprocess.follow import clicks_on, sections_on


def rerouted(
    path: CropPath,
    prompts: Iterable[Prompt],
    grid: Grid,
    bounds: Box,
    margin_mm: float,
) -> CropPath:
    """Return a path that holds what is drawn by now, with as few windows moved as that takes.

    A window that holds what was drawn on its slice with half the margin stays. Another one moves
    to the nearest place where it holds it with the whole margin (or, where there is no room for
    that, in its middle), and the windows between it and the next slices that were drawn run on
    straight lines again; no other slice changes. Where the window is too small it grows,
    everywhere, in whole steps of twice the margin.

    Parameters
    ----------
    path
        Windows of all slices within the bounds.
    prompts
        All that is drawn of the label by now; those of other axes count for nothing here.
    grid
        Of the scan, RAS+.
    bounds
        What the windows do not leave.
    margin_mm
        That of the plan.

    Returns
    -------
    CropPath
        The same one if nothing moves.
    """
    prompts = tuple(prompts)
    marked = _marked(path, prompts, grid.shape)
    starts, drawn = np.array(path.starts), list(marked)
    places, size, short = starts.copy(), list(path.size), set()
    margin = margin_vox(margin_mm, grid.spacing_mm)
    for which, along in enumerate((path.axis.row_axis, path.axis.column_axis)):
        low, high, by = bounds.start[along], bounds.stop[along], margin[along]
        spans = {index: (box.start[along], box.stop[along]) for index, box in marked.items()}
        size[which] = _wide_enough(size[which], spans.values(), by, high - low)
        widened = starts[:, which] - (size[which] - path.size[which]) // 2
        starts[:, which] = places[:, which] = widened.clip(low, high - size[which])
        for index, (start, stop) in spans.items():
            place = starts[index, which]
            held = max(start - by // 2, low), min(stop + by // 2, high)
            if held[0] < place or place + size[which] < held[1]:
                short.add(index)
                whole = min(by, (size[which] - (stop - start)) // 2)
                nearest = min(max(place, stop + whole - size[which]), start - whole)
                places[index, which] = min(max(nearest, low), high - size[which])
    for before, after in pairwise(drawn):
        if short & {before, after}:
            _join(starts, places, before, after)
    if drawn and drawn[0] in short:
        starts[: drawn[0] + 1] = places[drawn[0]]
    if drawn and drawn[-1] in short:
        starts[drawn[-1] :] = places[drawn[-1]]
    moved = tuple((int(row), int(column)) for row, column in starts)
    if moved == path.starts and tuple(size) == path.size:
        return path
    return CropPath(path.axis, path.first, (size[0], size[1]), moved)


def _marked(path: CropPath, prompts: Sequence[Prompt], shape: Sequence[int]) -> dict[int, Box]:
    """Return what masks, boxes and clicks mark, by its place in the path, in rising order."""
    sections = sections_on(path.axis, prompts, shape)
    boxes = {index - path.first: box for index, box in sections.items()}
    for click in clicks_on(path.axis, prompts, shape):
        index = click.start[path.axis.value] - path.first
        boxes[index] = boxes.get(index, click).joined(click)
    return dict(sorted(boxes.items()))


def _wide_enough(size: int, spans: Iterable[tuple[int, int]], margin: int, room: int) -> int:
    """Return a window's size, grown in whole steps to hold each span with half the margin."""
    wanted = max((stop - start for start, stop in spans), default=0) + 2 * (margin // 2)
    while size < min(wanted, room):
        size = min(size + max(2 * margin, 2), room)
    return size


def _join(starts: NDArray[np.int64], places: NDArray[np.int64], before: int, after: int) -> None:
    """Put the windows of two slices at their places, and those between on straight lines."""
    between = np.arange(before, after + 1)
    for which in (0, 1):
        ends = places[before, which], places[after, which]
        # A hair more, so that halfway is rounded up whatever the rounding of floats.
        starts[between, which] = np.floor(np.interp(between, (before, after), ends) + 0.5 + 1e-9)
