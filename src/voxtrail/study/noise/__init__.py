"""What spoils an outline as a hurried hand would: each a frozen dataclass with a strength in mm."""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.study.noise.base import Noise

#: Every kind of this package.
NOISES = Family("voxtrail.study.noise", Noise, "noise of outlines")  # type: ignore[type-abstract]

__all__ = ["NOISES", "Noise"]
