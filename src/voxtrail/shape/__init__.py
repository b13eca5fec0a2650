"""What outlines say of the shape between them: signed distances and alignment, no model.

Used by interpolation (`voxtrail.baselines`) and by shape priors (`voxtrail.fuse.priors`).
"""

from __future__ import annotations

from voxtrail.shape.gap import Gap
from voxtrail.shape.signed_distance import signed_distance_mm

__all__ = ["Gap", "signed_distance_mm"]
