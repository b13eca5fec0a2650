"""No preprocessing (the paper's NP): the scan's own range spread over 0..1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.preprocess.base import Transform


@dataclass(frozen=True)
class MinMax(Transform):
    """Scale from the smallest to the largest value of the whole array, not of each slice.

    An array of one value becomes 0 throughout.

    Notes
    -----
    Source: arXiv 2603.23116, "no preprocessing", read as min-max of the raw HU volume.

    Examples
    --------
    >>> MinMax().apply(np.array([[[-1000, 0]], [[0, 1000]]]))
    array([[[0. , 0.5]],
    <BLANKLINE>
           [[0.5, 1. ]]], dtype=float32)
    """

    name: ClassVar[str] = "none"
    voxelwise: ClassVar[bool] = True

    def grey(self, hu: NDArray[Any], range_hu: tuple[float, float]) -> NDArray[np.float32]:
        """Return grey levels; see `Transform.grey`."""
        low, high = range_hu
        grey = hu.astype(np.float32)
        if low == high:
            return np.zeros_like(grey)
        grey -= np.float32(low)
        grey /= np.float32(high - low)
        return np.clip(grey, 0.0, 1.0, out=grey)
