"""What a scan's voxels are known by."""

from __future__ import annotations

import hashlib
from weakref import WeakKeyDictionary

import numpy as np

from voxtrail.core.volume import Volume

#: What was told before: a large scan takes a second, and is asked for again and again.
_TOLD: WeakKeyDictionary[Volume, str] = WeakKeyDictionary()


def voxels_digest(volume: Volume) -> str:
    """Return 32 hexadecimal digits of a scan's voxels in RAS+ order, whatever its storage order."""
    if volume not in _TOLD:
        digest = hashlib.blake2b(
            f"{volume.voxels.dtype} {volume.voxels.shape}".encode(), digest_size=16
        )
        # In the order in which files hold them, i the fastest, so that most are read straight
        # through; one plane at a time, so that a large scan is not copied whole.
        for plane in volume.voxels.T:
            digest.update(np.ascontiguousarray(plane).data)
        _TOLD[volume] = digest.hexdigest()
    return _TOLD[volume]
