"""A segmentation that was saved without the empty space around it, put back on its scan's grid.

3D Slicer saves a `.seg.nrrd` on part of the scan's grid, as far as its segments reach.
"""

from __future__ import annotations

import numpy as np

from voxtrail.core.grid import SAME_GRID_VOXELS, Grid
from voxtrail.core.volume import LabelMap


def on_grid(labels: LabelMap, stored: Grid) -> LabelMap | None:
    """Return the labels on all of a scan's grid.

    Parameters
    ----------
    labels
        On a part of that grid, or beyond it as far as nothing is labelled there.
    stored
        The scan's grid.

    Returns
    -------
    LabelMap or None
        None where the voxels of the two do not lie on each other, or a labelled one lies outside.
    """
    whole = stored.canonical()
    into = np.linalg.inv(whole.affine) @ labels.grid.affine
    offset = np.rint(into[:3, 3]).astype(int)
    shape = np.array(labels.grid.shape)
    # How far the corner voxels' centres miss whole voxels of the scan.
    off = np.abs(into[:3, :3] - np.eye(3)) @ (shape - 1) + np.abs(into[:3, 3] - offset)
    if off.max() > SAME_GRID_VOXELS:
        return None
    start, stop = np.maximum(offset, 0), np.minimum(offset + shape, whole.shape)
    voxels = np.zeros(whole.shape, labels.voxels.dtype)
    if (start < stop).all():
        ours = tuple(slice(*pair) for pair in zip(start, stop, strict=True))
        theirs = tuple(slice(*pair) for pair in zip(start - offset, stop - offset, strict=True))
        voxels[ours] = labels.voxels[theirs]
    if np.count_nonzero(voxels) != np.count_nonzero(labels.voxels):
        return None
    return LabelMap(voxels, stored, labels.names, labels.provenance)
