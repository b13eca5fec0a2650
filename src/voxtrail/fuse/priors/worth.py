"""What a witness has been worth in the case at hand, told by outlines that were left out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from voxtrail.fuse.priors.base import Mask
from voxtrail.shape import signed_distance_mm

#: Keeps the worth finite where every pixel was told right.
RIDGE = 1e-3
#: Most steps of Newton's method, of which about five are needed.
NEWTON_STEPS = 30


def worth(told: NDArray[np.floating], truth: Mask, pixel_mm: tuple[float, float]) -> float:
    """Return the log-odds that one unit of what a witness told was worth on one slice.

    The slope, 0 or more, of a logistic regression without intercept on the pixels along the true
    surface, of which half are inside: there, not in the middle or far away, masks differ. A
    witness that misses the structure gets 0.

    Parameters
    ----------
    told
        (rows, columns), any unit, above 0 where inside is said.
    truth
        (rows, columns) bool, not empty: the outline that the witness had not seen.
    pixel_mm
        Distance between rows and between columns.
    """
    near = np.abs(signed_distance_mm(truth, pixel_mm)) <= max(pixel_mm)
    right = np.where(truth, told, -told)[near].astype(np.float64)
    slope = 0.0
    for _ in range(NEWTON_STEPS):
        wrong = 1 / (1 + np.exp(slope * right))
        gradient = np.mean(wrong * right) - RIDGE * slope
        curvature = np.mean(wrong * (1 - wrong) * right**2) + RIDGE
        step = max(slope + float(gradient / curvature), 0.0)
        if abs(step - slope) < 1e-4:
            break
        slope = step
    return slope


def typical(worths: Iterable[float], before: float, outlines: int) -> float:
    """Return the median of what was found, drawn to what was thought before.

    Parameters
    ----------
    worths
        One for each outline that was left out; may be empty.
    before
        What is thought without any.
    outlines
        How many outlines that thought counts as.

    Examples
    --------
    >>> typical([1.0, 9.0, 2.0], before=0.0, outlines=1)
    1.5
    """
    found = list(worths)
    middle = float(np.median(found)) if found else before
    return (middle * len(found) + before * outlines) / (len(found) + outlines)
