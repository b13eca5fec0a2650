"""The one expensive step of the surface measures: how far each mask's surface is from the other's.

What is made of the distances is in `voxtrail.metrics.distance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import range_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances between the surfaces of two masks, one for each surface voxel.

    Parameters
    ----------
    from_prediction
        (n,) float64: of each surface voxel of the prediction to the truth's nearest one, in the
        unit of the spacing that was passed; infinite where the truth is empty.
    from_truth
        (m,) float64: the same the other way round.
    """

    from_prediction: FloatArray
    from_truth: FloatArray


def surface_distances(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float]
) -> SurfaceDistances:
    """Measure the way from each surface voxel of one mask to the nearest of the other.

    A surface voxel is a voxel of the mask with one of its six neighbours outside the mask; beyond
    the array everything is outside. Distances are Euclidean, between voxel centres.

    Parameters
    ----------
    prediction, truth
        (i, j, k) bool of one shape; either may be empty.
    spacing
        Voxel size along each array axis: in mm for distances in mm, ones for distances in voxels.

    Notes
    -----
    Source: the surface and the distances of MONAI (`monai.metrics.utils.get_mask_edges` without
    sub-voxel areas), of which Hausdorff, its 95th percentile, average surface distance and surface
    Dice are made there. SimpleITK's HausdorffDistanceImageFilter measures between whole masks, not
    their surfaces, and says less where one mask lies inside the other.

    A search tree over the surface voxels gives the same distances as a distance transform of the
    box around both masks, in half the time or less and without that box in memory several times.
    """
    ends = [range_of(prediction | truth, axis) or (0, 0) for axis in range(prediction.ndim)]
    box = tuple(slice(*pair) for pair in ends)
    surfaces = [_surface(mask[box]) for mask in (prediction, truth)]
    return SurfaceDistances(
        _distances(surfaces[0], surfaces[1], spacing),
        _distances(surfaces[1], surfaces[0], spacing),
    )


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    interior = mask.copy()
    for axis in range(mask.ndim):
        along = np.moveaxis(interior, axis, 0)  # views: the axis in question comes first
        of_mask = np.moveaxis(mask, axis, 0)
        along[1:] &= of_mask[:-1]
        along[:-1] &= of_mask[1:]
        along[:1] = False
        along[-1:] = False
    return mask & ~interior


def _distances(
    of: NDArray[np.bool_], to: NDArray[np.bool_], spacing: Sequence[float]
) -> FloatArray:
    from scipy.spatial import KDTree

    count = int(np.count_nonzero(of))
    if not to.any():
        return np.full(count, np.inf)
    # Surface voxels that both share are 0 apart: no search for those.
    apart = np.argwhere(of & ~to) * np.asarray(spacing, dtype=np.float64)
    found = KDTree(np.argwhere(to) * np.asarray(spacing, dtype=np.float64)).query(apart)[0]
    return np.concatenate([np.zeros(count - len(apart)), found])
