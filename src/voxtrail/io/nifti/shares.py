"""A number from 0 to 1 for each voxel and label: one NIfTI file, the last axis by label.

Probabilities are written so, and how unsure they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import Grid
from voxtrail.errors import OutputError
from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.format import StoredImage
from voxtrail.io.nifti.image import write

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
    maps: Mapping[int, NDArray[np.float32]],
    stored: Grid,
    path: Path,
    kind: str,
    force: bool = False,
) -> None:
    """Write one volume a label, by rising label; a single label gives a 3-D file.

    Parameters
    ----------
    maps
        By label: (i, j, k) float32 in RAS+ order, 0 to 1.
    stored
        The grid to write on.
    path, kind, force
        See `check_shares_output`.
    """
    orientation = stored.orientation()
    volumes = [orientation.to_stored(maps[label]) for label in sorted(maps)]
    voxels = volumes[0] if len(volumes) == 1 else np.stack(volumes, axis=-1)
    with replacing(check_shares_output(path, kind, force), force) as place:
        write(StoredImage(np.ascontiguousarray(voxels), stored.affine, header=stored.header), place)
