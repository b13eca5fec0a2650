"""The mean of the probabilities: a rival in which one very sure pass weighs no more than 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.fuse.base import FloatArray, Fusion

#: Keeps the logit of a mean probability of exactly 0 or 1 finite.
SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class MeanProbability(Fusion):
    """Average probabilities (ours).

    Examples
    --------
    >>> fusion = MeanProbability()
    >>> logits = [np.float32([0.0]), np.float32([0.0])]
    >>> fusion.combine(sum(fusion.embed(each) for each in logits), np.array(2))
    array([0.], dtype=float32)
    """

    name: ClassVar[str] = "mean-probability"

    def embed(self, logits: FloatArray) -> FloatArray:
        """Return the probabilities."""
        probabilities: FloatArray = 0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float32)))
        return probabilities

    def combine(self, total: FloatArray, count: NDArray[np.integer]) -> FloatArray:
        """Return the logit of the mean."""
        mean = np.clip(total / count, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        logits: FloatArray = np.log(mean / (1 - mean)).astype(np.float32)
        return logits
