"""Closed outlines of a mask on one slice, holes and all; and the mask that outlines enclose.

An outline runs halfway between the centres of the pixels inside and those outside, so that the
pixels whose centres it encloses are the mask's, exactly. A hole is joined to the outline around it
by a channel without width, as DICOM asks for (PS3.3 C.8.8.6.3): the one closed line then encloses
the same pixels under the even-odd and the winding rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import range_of

FloatArray = NDArray[np.float64]

#: So many edges are filled at a time, which bounds the memory that it takes.
_EDGES = 1024


def outlines(mask: NDArray[np.bool_]) -> list[FloatArray]:
    """Return one closed outline for each connected part of a mask.

    Parameters
    ----------
    mask
        (rows, columns) bool.

    Returns
    -------
    list of arrays
        (n, 2) each, (column, row) in pixels, pixel (0, 0) centred on 0, 0; the last point is not
        the first again. Empty for an empty mask.

    Examples
    --------
    >>> [line] = outlines(np.eye(3, dtype=bool)[:1])
    >>> sorted(line.tolist())
    [[-0.5, 0.0], [0.0, -0.5], [0.0, 0.5], [0.5, 0.0]]
    """
    from contourpy import FillType, contour_generator

    rows, columns = range_of(mask, axis=0), range_of(mask, axis=1)
    if rows is None or columns is None:
        return []
    filled = mask[slice(*rows), slice(*columns)]
    corner = np.array([columns[0], rows[0]]) - 1.0
    # A border of background closes the outlines.
    padded = np.pad(filled, 1).astype(np.float64)
    generator = contour_generator(z=padded, fill_type=FillType.OuterOffset)
    found = []
    for points, offsets in zip(*generator.filled(0.5, np.inf), strict=True):
        # The first ring is the outer one; each ends on its first point.
        outer, *holes = (points[start : stop - 1] + corner for start, stop in pairwise(offsets))
        found.append(_with_channels(outer, holes))
    return found


def filled(lines: Sequence[FloatArray], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels whose centres closed outlines enclose.

    A centre is inside where a ray to it crosses the outlines an odd number of times, so that an
    outline within another one is a hole. Undoes `outlines` to the pixel.

    Parameters
    ----------
    lines
        (n, 2) each, (column, row) in pixels, closed by a line from the last point to the first.
        What lies outside the slice is cut off.
    shape
        Rows and columns of the slice.

    Returns
    -------
    (rows, columns) bool
        A centre on an outline counts as inside on the left, and outside on the right.

    Examples
    --------
    >>> square = np.array([[-0.5, -0.5], [1.5, -0.5], [1.5, 1.5], [-0.5, 1.5]])
    >>> filled([square, square / 2 - 0.25], (2, 3)).astype(int)
    array([[0, 1, 0],
           [1, 1, 0]])
    """
    rows, columns = shape
    # How often outlines pass between a pixel's centre and that of the one before it.
    passed = np.zeros((rows, columns + 1), np.uint32)
    for line in lines:
        edges = np.concatenate([line, np.roll(line, -1, axis=0)], axis=1)  # x, y, next x, next y
        for start in range(0, len(edges), _EDGES):
            _count_crossings(edges[start : start + _EDGES], passed)
    inside: NDArray[np.bool_] = np.cumsum(passed, axis=1)[:, :columns] % 2 == 1
    return inside


def _count_crossings(edges: FloatArray, passed: NDArray[np.uint32]) -> None:
    """Add where edges cross the rows of pixels' centres."""
    rows, columns = passed.shape
    x, y, x_next, y_next = edges.T
    # From the upper end on, without the lower one: two edges cross the row of their joint once.
    first = np.clip(np.ceil(np.minimum(y, y_next)), 0, rows).astype(np.intp)
    stop = np.clip(np.ceil(np.maximum(y, y_next)), 0, rows).astype(np.intp)
    crossed = stop - first
    edge = np.repeat(np.arange(len(edges)), crossed)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed)
    slope = (x_next[edge] - x[edge]) / (y_next[edge] - y[edge])
    column = np.ceil(x[edge] + (row - y[edge]) * slope)
    np.add.at(passed, (row, np.clip(column, 0, columns - 1).astype(np.intp)), 1)


def _with_channels(outer: FloatArray, holes: list[FloatArray]) -> FloatArray:
    """Join holes to the outline around them, the nearest first."""
    line, left = outer, list(holes)
    while left:
        nearest = [_channel(line, hole) for hole in left]
        chosen = int(np.argmin([length for length, _, _ in nearest]))
        _, at, into = nearest[chosen]
        hole = left.pop(chosen)
        around = np.concatenate([hole[into:], hole[: into + 1]])
        line = np.concatenate([line[: at + 1], around, line[at:]])
    return line


def _channel(line: FloatArray, hole: FloatArray) -> tuple[float, int, int]:
    """Return the length of the shortest channel between two lines, and which points it joins.

    Points lie halfway between two pixels of a row or of a column. A channel joins one of either
    sort: such a one, and no other, passes through no pixel's centre, which would be on the line
    and neither inside nor outside. (From (a, b + 1/2) along odd multiples of 1/2 in both
    directions, whole x and whole y never come together.)
    """
    from scipy.spatial import KDTree

    found = []
    for sort in (True, False):
        ours = np.flatnonzero(_between_columns(line) == sort)
        theirs = np.flatnonzero(_between_columns(hole) != sort)
        lengths, nearest = KDTree(line[ours]).query(hole[theirs])
        best = int(np.argmin(lengths))
        found.append((float(lengths[best]), int(ours[nearest[best]]), int(theirs[best])))
    return min(found)


def _between_columns(line: FloatArray) -> NDArray[np.bool_]:
    between: NDArray[np.bool_] = line[:, 0] % 1 != 0
    return between
