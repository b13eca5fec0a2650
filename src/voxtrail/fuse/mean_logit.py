"""The mean of the logits: the paper's fusion of directions and axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import OptionError
from voxtrail.fuse.base import FloatArray, Fusion


@dataclass(frozen=True)
class MeanLogit(Fusion):
    """Average logits.

    Parameters
    ----------
    limit
        Logits are clipped to +-limit before they are averaged (ours): SAM 2 writes -1024 on a
        slice from which it believes the object absent, and one such pass would outvote any
        number of others. ``inf`` takes them as they are. A single pass is never changed in sign.

    Notes
    -----
    Source: arXiv 2603.23116: ``p = sigmoid((L_ax + L_cor + L_sag) / 3)``.

    Examples
    --------
    >>> fusion = MeanLogit(limit=20)
    >>> logits = [np.float32([[4, -1024]]), np.float32([[-2, 30]])]
    >>> fusion.combine(sum(fusion.embed(each) for each in logits), np.array(2))
    array([[1., 0.]], dtype=float32)
    """

    name: ClassVar[str] = "mean-logit"
    limit: float = 20.0

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise OptionError(
                "limit of the fusion mean-logit is out of range",
                received=self.limit,
                accepted="above 0, or inf",
                remedy="write for example mean-logit:limit=20",
            )

    def embed(self, logits: FloatArray) -> FloatArray:
        """Return the logits within the limit."""
        return np.clip(logits, np.float32(-self.limit), np.float32(self.limit))

    def combine(self, total: FloatArray, count: NDArray[np.integer]) -> FloatArray:
        """Return the mean."""
        return (total / count).astype(np.float32, copy=False)
