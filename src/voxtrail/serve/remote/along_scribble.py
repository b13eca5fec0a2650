"""Clicks along a scribble: the model knows clicks, boxes and masks, and a scribble is none of them.

A mask prompt is taken as the truth, which a scribble is not, so what it covers is clicked on
instead. `benchmarks/scribbles.py` has what either gives.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Clicks that stand for one scribble. More of them help little (`docs/clients.md`).
CLICKS = 3


def clicks_along(
    scribble: NDArray[np.bool_], count: int = CLICKS
) -> tuple[tuple[float, float], ...]:
    """Return points (x, y) on the middle line of a scribble, as far apart as can be.

    Parameters
    ----------
    scribble
        (rows, columns) bool, not empty.
    count
        How many, at most.

    Examples
    --------
    >>> line = np.zeros((5, 9), bool)
    >>> line[2] = True
    >>> clicks_along(line, 3)
    ((4.0, 2.0), (0.0, 2.0), (8.0, 2.0))
    """
    from skimage.morphology import skeletonize

    middle = skeletonize(scribble)
    rows, columns = np.nonzero(middle if middle.any() else scribble)
    points = np.stack([columns, rows], axis=1).astype(float)
    chosen = [int(np.argmin(_squared(points, points.mean(axis=0))))]
    nearest = _squared(points, points[chosen[0]])
    while len(chosen) < count and nearest.max() > 0:
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, _squared(points, points[chosen[-1]]))
    return tuple((float(x), float(y)) for x, y in points[chosen])


def _squared(points: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    offset = points - point
    squared: NDArray[np.float64] = (offset * offset).sum(axis=1)
    return squared
