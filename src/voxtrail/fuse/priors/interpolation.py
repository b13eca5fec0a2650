"""Interpolated outlines as evidence, and how far they can be trusted in the case at hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxtrail.fuse.priors.base import Mask
from voxtrail.shape import Gap, signed_distance_mm

#: mm² by which the squared error of an interpolated distance grows with each mm between outlines,
#: where the outlines agree (phantoms: 1 and 3 fuse alike, 0.3 less well).
DRIFT_MM = 3.0
#: Beyond so many standard deviations from its surface an interpolation is no surer.
MOST_DEVIATIONS = 8.0
#: Keeps the slope finite where interpolation told every pixel right.
RIDGE = 1e-3
#: Steps of Newton's method, of which about five are needed.
NEWTON_STEPS = 30

FloatArray = NDArray[np.float64]


def deviations(gap: Gap, weight: float | FloatArray, length_mm: float) -> FloatArray:
    """Return how many standard deviations pixels lie inside of the interpolated surface.

    The signed distance is taken for a random walk from one outline to the other: between the two
    its mean is the linear blend, and its variance the square of its step, times w (1 - w). The
    step is how far the two distances lie apart, pixel by pixel, and a drift that grows with the
    way: where the two outlines agree the interpolation is sure, where they differ it is not.

    Parameters
    ----------
    gap
        The two outlines.
    weight
        Where the slices lie, from the first outline (0) to the last (1); both excluded.
    length_mm
        Way between the outlines.

    Returns
    -------
    numpy.ndarray
        In the frame of the gap, positive inside, within +-`MOST_DEVIATIONS`.
    """
    apart = gap.last_mm - gap.first_mm
    sigma = np.sqrt((DRIFT_MM * length_mm + apart**2) * weight * (1 - weight))
    return np.clip(gap.blend_mm(weight) / sigma, -MOST_DEVIATIONS, MOST_DEVIATIONS)


def reliability(
    outlines: Mapping[int, Mask], spacing_mm: tuple[float, float, float], align: float
) -> float:
    """Return the log-odds that a deviation is worth in this case, 0 or more.

    Each inner outline is left out and interpolated from its two neighbours. Along its true
    surface, where half of the pixels are inside, a logistic regression without intercept tells how
    well the sign and size of the deviations foretell them. An interpolation that misses the
    structure there gets 0. The median of n outlines is shrunk by n / (n + 1): one test is not many,
    and with two outlines there is none.

    Parameters
    ----------
    outlines
        By slice; see `Prior.fuse`.
    spacing_mm
        Distance between slices, rows and columns.
    align
        See `Gap.between`.
    """
    drawn = sorted(outlines)
    slopes = [
        _left_out(low, middle, high, outlines, spacing_mm, align)
        for low, middle, high in zip(drawn, drawn[1:], drawn[2:], strict=False)
        if all(outlines[index].any() for index in (low, middle, high))
    ]
    return float(np.median(slopes)) * len(slopes) / (len(slopes) + 1) if slopes else 0.0


def _left_out(
    low: int,
    middle: int,
    high: int,
    outlines: Mapping[int, Mask],
    spacing_mm: tuple[float, float, float],
    align: float,
) -> float:
    """Return the slope of one outline that is interpolated from its neighbours."""
    pixel_mm = spacing_mm[1:]
    gap = Gap.between(outlines[low], outlines[high], high - low, pixel_mm, align)
    truth = gap.place(outlines[middle][None], fill=False, at=middle - low)[0]
    surface_mm = signed_distance_mm(truth, pixel_mm)
    near = np.abs(surface_mm) <= max(pixel_mm)
    told = deviations(gap, (middle - low) / (high - low), (high - low) * spacing_mm[0])
    return _slope(told[near], truth[near])


def _slope(told: FloatArray, inside: NDArray[np.bool_]) -> float:
    """Return the logistic regression's slope through 0, 0 or more: (n,) float64, (n,) bool."""
    right = np.where(inside, told, -told)
    slope = 0.0
    for _ in range(NEWTON_STEPS):
        wrong = 1 / (1 + np.exp(slope * right))
        gradient = np.mean(wrong * right) - RIDGE * slope
        curvature = np.mean(wrong * (1 - wrong) * right**2) + RIDGE
        step = max(slope + gradient / curvature, 0.0)
        if abs(step - slope) < 1e-4:
            break
        slope = float(step)
    return slope
