"""Priors on the shape of a structure, from its outlines, one a file."""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.fuse.priors.base import Prior

PRIORS: Family[Prior] = Family(
    "voxtrail.fuse.priors",
    Prior,  # type: ignore[type-abstract]
    "shape prior",
)

__all__ = ["PRIORS", "Prior"]
