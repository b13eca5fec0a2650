"""What a scan's voxels are known by."""

from __future__ import annotations

import hashlib

import numpy as np

from voxtrail.core.volume import Volume


def voxels_digest(volume: Volume) -> str:
    """Return 32 hexadecimal digits of a scan's voxels in RAS+ order, whatever its storage order."""
    digest = hashlib.blake2b(
        f"{volume.voxels.dtype} {volume.voxels.shape}".encode(), digest_size=16
    )
    for plane in volume.voxels:  # one at a time: a large scan is not copied whole
        digest.update(np.ascontiguousarray(plane).data)
    return digest.hexdigest()
