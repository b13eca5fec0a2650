"""A crop that follows a structure beyond its outlines: from the mask of the slice before.

With one outline, and beyond the outermost of several, nothing that was drawn says where a structure
goes on to. The mask that was just found on one slice does. Pure geometry: the propagation asks
after each tracked slice, where `voxtrail.preprocess.follow` gives the path to begin with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box
from voxtrail.core.crop_path import CropPath

#: The window moves when the centre of the mask is further from the window's than this share of the
#: margin, and then just so far that it is not: what does not run obliquely keeps its window.
SLACK_SHARE = 0.5
#: From one slice to the next the window moves by no more than this share of the margin, so that one
#: wrong mask does not carry it away.
STEP_SHARE = 1.0


def follow_mask(
    path: CropPath,
    slice_index: int,
    mask: NDArray[np.bool_],
    towards: int,
    margin: Sequence[int],
    bounds: Box,
) -> CropPath:
    """Return the path with the windows beyond one slice moved after the mask found on it.

    Parameters
    ----------
    path
        As far as it is known: from this slice on, its windows do not move yet.
    slice_index
        RAS+ number of the slice that the mask was found on.
    mask
        (rows, columns) bool, in this slice's window. One without a pixel moves nothing.
    towards
        +1 where propagation goes to higher slice numbers, -1 to lower ones.
    margin
        What the window leaves around a section, in voxels along each RAS+ axis
        (`voxtrail.core.box.margin_vox`).
    bounds
        What the windows do not leave.

    Returns
    -------
    CropPath
        The same one if nothing moves.

    Examples
    --------
    A mask in the window's first column, the highest voxel along its axis, with a margin of two:

    >>> from voxtrail.core.axis import Axis
    >>> path = CropPath(Axis.AXIAL, 0, (5, 5), ((3, 3),) * 3)
    >>> mask = np.zeros((5, 5), dtype=bool)
    >>> mask[2, 0] = True
    >>> follow_mask(path, 1, mask, 1, (2, 2, 2), Box.whole((20, 20, 3))).starts
    ((3, 3), (3, 3), (3, 4))
    """
    if not mask.any():
        return path
    place = path.starts[slice_index - path.first]
    moved: list[int] = []
    for which, along in enumerate((path.axis.row_axis, path.axis.column_axis)):
        size = path.size[which]
        pixels = mask.sum(axis=1 - which)
        # Pixels run against the body axis, so a low one is far up.
        offset = (size - 1) / 2 - float(pixels @ np.arange(size)) / float(pixels.sum())
        excess = math.ceil(abs(offset) - SLACK_SHARE * margin[along] - 1e-9)
        step = min(max(excess, 0), max(round(STEP_SHARE * margin[along]), 1))
        start = place[which] + (step if offset > 0 else -step)
        moved.append(min(max(start, bounds.start[along]), bounds.stop[along] - size))
    if (moved[0], moved[1]) == place:
        return path
    beyond = slice_index - path.first
    starts = list(path.starts)
    ahead = range(beyond + 1, len(starts)) if towards > 0 else range(beyond)
    for index in ahead:
        starts[index] = (moved[0], moved[1])
    return replace(path, starts=tuple(starts))
