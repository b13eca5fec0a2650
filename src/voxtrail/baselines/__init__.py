"""What a user would do without a model: interpolate between the outlined slices."""

from __future__ import annotations

from voxtrail.baselines.base import Interpolator
from voxtrail.core.family import Family

__all__ = ["INTERPOLATORS", "Interpolator"]

#: Every interpolation of this package.
INTERPOLATORS = Family(
    "voxtrail.baselines",
    Interpolator,  # type: ignore[type-abstract]
    "interpolation",
)
