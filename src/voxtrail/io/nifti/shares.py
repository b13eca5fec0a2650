"""A number from 0 to 1 for each voxel and label: one NIfTI file, the last axis by label.

Probabilities are written so, and how unsure they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box
from voxtrail.core.grid import Grid
from voxtrail.errors import OutputError
from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.nifti.image import write_planes

SUFFIXES = (".nii", ".nii.gz")


def check_shares_output(path: Path, kind: str, force: bool = False) -> Path:
    """Refuse a place or a name that such numbers, of a kind, cannot be written to.

    Raises
    ------
    OutputError
        As `check_writable`, or if the name does not end in ``.nii`` or ``.nii.gz``.
    """
    if not path.name.endswith(SUFFIXES):
        raise OutputError(
            f"{kind} can be written as NIfTI only",
            received=path.name,
            accepted=" or ".join(SUFFIXES),
            remedy="choose such a name",
        )
    return check_writable(path, force)


def write_shares(
    maps: Mapping[int, tuple[Box, NDArray[np.floating]]],
    stored: Grid,
    path: Path,
    kind: str,
    force: bool = False,
) -> None:
    """Write one volume a label, by rising label; a single label gives a 3-D file.

    Parameters
    ----------
    maps
        By label: a box of the scan, RAS+ voxels, and its numbers: (i, j, k) in RAS+ order, 0 to 1.
        Beyond it they are 0.
    stored
        The grid to write on.
    path, kind, force
        See `check_shares_output`.
    """
    labels = sorted(maps)
    shape = stored.shape if len(labels) == 1 else (*stored.shape, len(labels))
    planes = (plane for label in labels for plane in _planes(*maps[label], stored))
    with replacing(check_shares_output(path, kind, force), force) as place:
        write_planes(stored, shape, np.dtype(np.float32), planes, place)


def _planes(box: Box, values: NDArray[np.floating], stored: Grid) -> Iterator[NDArray[np.float32]]:
    """Yield the planes of a whole volume in which a box has values."""
    placed = stored.stored_box(box)
    inside = stored.orientation().to_stored(values)
    rows, columns, _ = placed.slices
    for k in range(stored.shape[2]):
        plane = np.zeros(stored.shape[:2], np.float32)
        if placed.start[2] <= k < placed.stop[2]:
            plane[rows, columns] = inside[..., k - placed.start[2]]
        yield plane
