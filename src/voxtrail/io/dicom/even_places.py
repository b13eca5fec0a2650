"""Even places of slices whose headers round their positions.

A scanner that reconstructs slices every 0.625 mm and writes positions to 0.1 mm writes uneven ones.
Where every position is the rounding of an even place, the slices are even.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Rounding explains no more than this share of the spacing: a missing slice moves others by half.
_SHARE = 0.25

#: Positions written with more digits than this are not rounded.
_FINEST_MM = 1e-9


def last_digit_mm(values: Sequence[Any]) -> FloatArray:
    """Return what one unit of the last digit of each number is that is not 0, at most 1.

    Whether a zero at the end was rounded or written by a program that always does nobody can tell.

    Examples
    --------
    >>> last_digit_mm(["-99.4", "120", "-98.0", "1e-2"]).tolist()
    [0.1, 1.0, 1.0, 0.01]
    """
    return np.array([_unit(value) for value in values])


def even_places(
    positions: FloatArray, units: FloatArray, stated_mm: Sequence[float]
) -> tuple[FloatArray, FloatArray] | None:
    """Return the even places that positions are the rounding of.

    Parameters
    ----------
    positions
        (n, 3) mm, in order, n >= 2.
    units
        (3,) mm, what the last written digit of each coordinate is.
    stated_mm
        What the header says of the distance between slices, the most trusted first.

    Returns
    -------
    tuple or None
        The place of the first slice, and the way from one to the next, (3,) mm each; None where
        rounding does not explain the positions.
    """
    ways = positions - positions[0]
    ahead = ways[-1] / float(np.linalg.norm(ways[-1]))
    number = np.arange(len(positions))[:, None]
    even = float(np.linalg.norm(ways[-1])) / (len(positions) - 1)
    for spacing_mm in (*stated_mm, even):
        if not 0 < spacing_mm < np.inf:
            continue
        allowed = np.minimum(units, _SHARE * spacing_mm * 2)
        off = ways - number * spacing_mm * ahead
        # The first position is rounded too: the others may all lie on one side of it.
        if (np.ptp(off, axis=0) > allowed * (1 + 1e-6) + _FINEST_MM).any():
            continue
        if (np.abs(off) <= allowed / 2 * (1 + 1e-6) + _FINEST_MM).all():
            return positions[0], spacing_mm * ahead
        return positions[0] + (off.max(axis=0) + off.min(axis=0)) / 2, spacing_mm * ahead
    return None


def _unit(value: Any) -> float:
    text = getattr(value, "original_string", None) or str(value)
    try:
        exponent = Decimal(text.strip()).normalize().as_tuple().exponent
    except InvalidOperation:
        return 0.0
    return 10.0 ** min(exponent, 0) if isinstance(exponent, int) else 0.0
