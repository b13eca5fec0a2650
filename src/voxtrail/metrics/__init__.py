"""How alike two masks are: overlap, surface distances, volume; units in the names.

Not here: label maps, names, means over labels (`voxtrail.evaluate`).
"""

from __future__ import annotations

from voxtrail.metrics.distance import (
    assd,
    hausdorff,
    hausdorff95,
    surface_dice,
)
from voxtrail.metrics.overlap import dice, iou, volume_ml
from voxtrail.metrics.scores import Scores, score
from voxtrail.metrics.surface import SurfaceDistances, surface_distances

__all__ = [
    "Scores",
    "SurfaceDistances",
    "assd",
    "dice",
    "hausdorff",
    "hausdorff95",
    "iou",
    "score",
    "surface_dice",
    "surface_distances",
    "volume_ml",
]
