"""Which labels a map holds, and where: read plane by plane, since most of a large scan has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box, range_of, triple

#: A part of one plane of an array, and where it lies in it.
Part = tuple[NDArray[Any], Box]


def labels_in(voxels: NDArray[Any]) -> set[int]:
    """Return the numbers that occur, without 0, of (i, j, k) labels."""
    return {int(label) for part, _ in _filled(voxels) for label in np.unique(part)} - {0}


def label_boxes(voxels: NDArray[Any]) -> dict[int, Box]:
    """Return the smallest box around each label that occurs, by rising label.

    Parameters
    ----------
    voxels
        (i, j, k) labels in RAS+ order or, for boxes in storage order, as stored.

    Examples
    --------
    >>> labels = np.zeros((4, 5, 6), np.uint8)
    >>> labels[1, 2:4, 5] = 7
    >>> label_boxes(labels)
    {7: Box(start=(1, 2, 5), stop=(2, 4, 6))}
    """
    found: dict[int, Box] = {}
    for part, place in _filled(voxels):
        for label in set(np.unique(part).tolist()) - {0}:
            # In the plane alone: to make room for a mask of the whole scan takes as long again.
            here = Box.around(part == label)
            assert here is not None  # it occurs
            here = here.moved(place.start)
            found[label] = found[label].joined(here) if label in found else here
    return dict(sorted(found.items()))


def _filled(voxels: NDArray[Any]) -> Iterator[Part]:
    """Yield what is not 0 of each plane, cut to the smallest rectangle around it."""
    # Planes that lie whole in memory: in files, mostly the last axis runs across them.
    across = max(range(3), key=lambda axis: abs(voxels.strides[axis]))
    first, second = (axis for axis in range(3) if axis != across)
    for index in range(voxels.shape[across]):
        plane = voxels[(slice(None),) * across + (slice(index, index + 1),)]
        if (rows := range_of(plane, first)) and (columns := range_of(plane, second)):
            ends = {across: (index, index + 1), first: rows, second: columns}
            starts, stops = zip(*(ends[axis] for axis in range(3)), strict=True)
            place = Box(triple(starts), triple(stops))
            yield voxels[place.slices], place
