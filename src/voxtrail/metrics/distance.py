"""What is made of surface distances: tiny pure reductions, in the unit of the distances.

Two empty masks are 0 apart and agree wholly; an empty one and another have no distance (None) and
agree nowhere. Source: the reductions of MONAI 1.6 (`monai.metrics`), apart from those two rules,
which it leaves undefined (NaN or infinity).
"""

from __future__ import annotations

import numpy as np

from voxtrail.metrics.surface import SurfaceDistances

#: Slack of a tolerance: spacing from a file carries float32 rounding, and a voxel that is exactly
#: one tolerance away must not be lost to it.
ROUNDING = 1e-5


def hausdorff(distances: SurfaceDistances) -> float | None:
    """Return the largest distance from either surface to the other."""
    return _largest_percentile(distances, 100.0)


def hausdorff95(distances: SurfaceDistances) -> float | None:
    """Return the 95th percentile of the distances, of the direction in which it is larger."""
    return _largest_percentile(distances, 95.0)


def assd(distances: SurfaceDistances) -> float | None:
    """Return the mean distance over the voxels of both surfaces (average symmetric distance)."""
    both = np.concatenate([distances.from_prediction, distances.from_truth])
    return _finite(float(both.mean())) if both.size else 0.0


def surface_dice(distances: SurfaceDistances, tolerance: float) -> float:
    """Return the share of both surfaces' voxels within a tolerance of the other surface, 0..1.

    Each surface voxel counts once, whatever area it stands for (MONAI's ``use_subvoxels=False``,
    not DeepMind's surface elements).
    """
    both = np.concatenate([distances.from_prediction, distances.from_truth])
    return float(np.mean(both <= tolerance + ROUNDING)) if both.size else 1.0


def _largest_percentile(distances: SurfaceDistances, percent: float) -> float | None:
    directions = [
        # Infinite distances are those to an empty mask: all of them are, and so is any percentile,
        # which cannot be interpolated between.
        np.percentile(way, percent) if np.isfinite(way).all() else np.inf
        for way in (distances.from_prediction, distances.from_truth)
        if way.size
    ]
    return _finite(float(max(directions))) if directions else 0.0


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
