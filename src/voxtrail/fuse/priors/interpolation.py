"""Interpolated outlines as evidence, and how far they can be trusted in the case at hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxtrail.fuse.priors.base import FloatArray, Mask
from voxtrail.fuse.priors.worth import typical, worth
from voxtrail.shape import Gap

#: mm² by which the squared error of an interpolated distance grows with each mm between outlines,
#: where the outlines agree (phantoms: 1 and 3 fuse alike, 0.3 less well).
DRIFT_MM = 3.0
#: Beyond so many standard deviations from its surface an interpolation is no surer.
MOST_DEVIATIONS = 8.0


def deviations(gap: Gap, weight: float | NDArray[np.float64], length_mm: float) -> FloatArray:
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
        float32 in the frame of the gap, positive inside, within +-`MOST_DEVIATIONS`.
    """
    step_mm = np.sqrt(DRIFT_MM * length_mm + (gap.last_mm - gap.first_mm) ** 2)
    # In units of the step, (row, column), and only then slice by slice: a volume once, not thrice.
    first, last = ((mm / step_mm).astype(np.float32) for mm in (gap.first_mm, gap.last_mm))
    share = np.asarray(weight, dtype=np.float32)
    told: FloatArray = ((1 - share) * first + share * last) / np.sqrt(share * (1 - share))
    return np.clip(told, -MOST_DEVIATIONS, MOST_DEVIATIONS)


def interpolation_worth(
    outlines: Mapping[int, Mask], spacing_mm: tuple[float, float, float], align: float
) -> float:
    """Return the log-odds that a deviation is worth in this case, 0 or more.

    Each inner outline is left out and interpolated from its two neighbours, so at twice the
    distance that matters. The median of n outlines is drawn to 0 as by one more: one test is not
    many, and with two outlines there is none.

    Parameters
    ----------
    outlines
        By slice of one axis; see `Prior.fuse`.
    spacing_mm
        Distance between slices, rows and columns.
    align
        See `Gap.between`.
    """
    drawn = sorted(outlines)
    return typical(
        (
            _left_out(low, middle, high, outlines, spacing_mm, align)
            for low, middle, high in zip(drawn, drawn[1:], drawn[2:], strict=False)
            if all(outlines[index].any() for index in (low, middle, high))
        ),
        before=0.0,
        outlines=1,
    )


def _left_out(
    low: int,
    middle: int,
    high: int,
    outlines: Mapping[int, Mask],
    spacing_mm: tuple[float, float, float],
    align: float,
) -> float:
    """Return what interpolation of one outline from its neighbours was worth."""
    pixel_mm = spacing_mm[1:]
    gap = Gap.between(outlines[low], outlines[high], high - low, pixel_mm, align)
    truth = gap.place(outlines[middle][None], fill=False, at=middle - low)[0]
    told = deviations(gap, (middle - low) / (high - low), (high - low) * spacing_mm[0])
    return worth(told, truth, pixel_mm)
