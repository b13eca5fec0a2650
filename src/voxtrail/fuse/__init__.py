"""Fusion of directions and axes, one a file."""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.fuse.base import Fusion

FUSIONS: Family[Fusion] = Family("voxtrail.fuse", Fusion, "fusion")  # type: ignore[type-abstract]

__all__ = ["FUSIONS", "Fusion"]
