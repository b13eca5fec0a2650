"""The truth as people keep it: one label map, or one binary mask a structure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError, ImageError
from voxtrail.io import read_labels


def read_truth(paths: Sequence[Path]) -> LabelMap:
    """Read one label map, or several binary masks as labels 1, 2, ... in the order given.

    A binary mask is named after its file.

    Raises
    ------
    ImageError
        If a file cannot be read as labels, one of several is no binary mask, or two masks claim
        the same voxel.
    GridError
        If the masks lie on different grids.
    """
    maps = [read_labels(path) for path in paths]
    if len(maps) == 1:
        only = maps[0]
        names = {1: _name(paths[0])} if only.labels() == (1,) else only.names
        return LabelMap(only.voxels, only.stored, names)
    first = maps[0]
    kind = np.uint8 if len(maps) <= np.iinfo(np.uint8).max else np.uint16
    joined = np.zeros(first.grid.shape, dtype=kind)
    for label, (path, one) in enumerate(zip(paths, maps, strict=True), start=1):
        if not one.stored.same_as(first.stored):
            raise GridError(
                f"{path.name} lies on another grid than {paths[0].name}",
                received=one.stored.describe(),
                accepted=first.stored.describe(),
                remedy="pass masks of one scan",
            )
        if len(one.labels()) > 1:
            raise ImageError(
                f"{path.name} is one of several masks but holds more than one label",
                received=f"labels {', '.join(map(str, one.labels()))}",
                accepted="one label map alone, or binary masks",
                remedy="pass the label map by itself",
            )
        inside = one.voxels > 0
        taken = int((joined[inside] > 0).sum())
        if taken:
            raise ImageError(
                f"{path.name} overlaps a mask given before it",
                received=f"{taken} shared voxels",
                accepted="masks that do not overlap",
                remedy="score such structures one at a time",
            )
        joined[inside] = label
    return LabelMap(joined, first.stored, {n: _name(p) for n, p in enumerate(paths, start=1)})


def _name(path: Path) -> str:
    return path.name.split(".")[0]
