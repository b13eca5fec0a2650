"""Means with their uncertainty, and paired tests: plain arrays in, plain numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 5000
#: So many resamples at a time, so that thousands of structures do not fill memory.
BATCH = 100
CONFIDENCE = 0.95
SEED = 0

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over structures.

    Parameters
    ----------
    n
        Structures that have a value.
    missing
        Structures without one, such as the distance to an empty mask: counted, not averaged.
    mean, sd
        Mean and standard deviation (n - 1); None where there are too few.
    low, high
        95 % bootstrap interval of the mean (percentiles); None for fewer than two.
    """

    n: int
    missing: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None


def estimate(values: FloatArray) -> Estimate:
    """Estimate the mean of values (n,) float64; NaN is missing.

    Examples
    --------
    >>> found = estimate(np.array([1.0, 2.0, 3.0, np.nan]))
    >>> found.n, found.missing, found.mean, found.sd
    (3, 1, 2.0, 1.0)
    """
    known = values[~np.isnan(values)]
    n = len(known)
    low, high = _interval(known) if n > 1 else (None, None)
    return Estimate(
        n=n,
        missing=len(values) - n,
        mean=float(known.mean()) if n else None,
        sd=float(known.std(ddof=1)) if n > 1 else None,
        low=low,
        high=high,
    )


@dataclass(frozen=True)
class Comparison:
    """A variant against another on the same structures.

    Parameters
    ----------
    difference
        Of the values, variant minus reference, over the structures that both have.
    p
        Of Wilcoxon's signed-rank test, two-sided; None for fewer than two.
    least
        The least difference of any structure; None where no structure has both.
    """

    difference: Estimate
    p: float | None
    least: float | None


def compare(values: FloatArray, reference: FloatArray) -> Comparison:
    """Compare two variants, pair by pair: both (n,) float64 in the same order, NaN is missing.

    Examples
    --------
    >>> compare(np.array([2.0, 3.0, 4.0]), np.array([1.0, 1.0, 1.0])).difference.mean
    2.0
    """
    from scipy.stats import wilcoxon

    difference = values - reference
    difference = difference[~np.isnan(difference)]
    p: float | None = None
    if len(difference) > 1:
        # Where nothing differs the test is not defined; nothing speaks against equality.
        p = float(wilcoxon(difference).pvalue) if np.any(difference != 0) else 1.0
    least = float(difference.min()) if len(difference) else None
    return Comparison(estimate(difference), p, least)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for their number (Holm 1979); None stays None and does not count.

    Examples
    --------
    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        corrected[index] = largest
    return corrected


def _interval(values: FloatArray) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of values (n,), n of two or more."""
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return float(found.low), float(found.high)
