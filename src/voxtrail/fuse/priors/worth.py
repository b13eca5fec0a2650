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


def typical(worths: Iterable[float], before: float) -> float:
    """Return the median of what was found, drawn to ``before`` as by one more outline."""
    found = list(worths)
    return (float(np.median(found)) * len(found) + before) / (len(found) + 1) if found else before
