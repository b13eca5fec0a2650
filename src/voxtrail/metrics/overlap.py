"""Overlap and volume of masks, by counting voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: 1 ml is 1000 mm^3.
MM3_PER_ML = 1000.0


def dice(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return twice the shared voxels over the sum of both, 0..1; 1 if both are empty.

    No smoothing term. The masks are bool and of one shape.

    Examples
    --------
    >>> dice(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    total = int(np.count_nonzero(prediction)) + int(np.count_nonzero(truth))
    return 2 * int(np.count_nonzero(prediction & truth)) / total if total else 1.0


def iou(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the shared voxels over those of either mask, 0..1; 1 if both are empty.

    The masks are bool and of one shape.

    Examples
    --------
    >>> iou(np.array([True, True, False]), np.array([True, False, False]))
    0.5
    """
    union = int(np.count_nonzero(prediction | truth))
    return int(np.count_nonzero(prediction & truth)) / union if union else 1.0


def volume_ml(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> float:
    """Return the volume of a bool mask in millilitres; 0 if it is empty.

    Examples
    --------
    >>> volume_ml(np.ones((10, 10, 10), dtype=bool), (1.0, 1.0, 2.0))
    2.0
    """
    return float(np.count_nonzero(mask) * np.prod(spacing_mm) / MM3_PER_ML)
