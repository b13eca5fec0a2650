"""No prior: outlines say what to track, and nothing else. The paper's configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.core.axis import Axis
from voxtrail.fuse.priors.base import FloatArray, Mask, Prior


@dataclass(frozen=True)
class NoPrior(Prior):
    """Leave the logits as they are.

    Examples
    --------
    >>> import numpy as np
    >>> NoPrior().fuse(np.float32([[[2.0]]]), {}, (1.0, 1.0, 1.0))
    array([[[2.]]], dtype=float32)
    """

    name: ClassVar[str] = "none"

    def fuse(
        self,
        logits: FloatArray,
        outlines: Mapping[Axis, Mapping[int, Mask]],
        spacing_mm: tuple[float, float, float],
    ) -> FloatArray:
        """Return them; see `Prior.fuse`."""
        return logits
