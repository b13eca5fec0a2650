"""How the logits of several passes over the same voxel become one."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Fusion(ABC):
    """A mean of what passes say, taken of transformed logits.

    Passes (directions, axes) are added one at a time, so that they need not be held together:
    ``combine(sum of embed(logits), number of passes)``.
    """

    @abstractmethod
    def embed(self, logits: FloatArray) -> FloatArray:
        """Return what is added up for one pass, a new array: logits of any shape, float32."""

    @abstractmethod
    def combine(self, total: FloatArray, count: NDArray[np.integer]) -> FloatArray:
        """Return the fused logits.

        Parameters
        ----------
        total
            Sum over the passes, float32.
        count
            Number of passes that were added at each place, 1 or more; broadcasts to ``total``.
        """
