"""The checksum of compressed voxels, which ITK's readers of NRRD and MetaImage pass over.

Without it a damaged stream often unpacks to voxels of the right number and the wrong values.
"""

from __future__ import annotations

import zlib
from pathlib import Path

#: Both zlib's and gzip's own format, told from its first bytes.
_EITHER = 32 + zlib.MAX_WBITS

_CHUNK = 2**20

#: What a stream may hold besides voxels: NRRD's `byte skip`, for one.
_MAX_OTHER = 16 * 2**20


def check(path: Path, start: int, most: int) -> None:
    """Unpack a stream to nothing, so that it is compared with its checksum.

    Parameters
    ----------
    path
        The file.
    start
        Where in it the stream begins. What follows its end is not looked at.
    most
        So many bytes the voxels take; a stream that unpacks to far more is refused.

    Raises
    ------
    zlib.error
        If it is damaged.
    ValueError
        If it ends too early, or is longer.
    """
    unpacked, stream = 0, zlib.decompressobj(_EITHER)
    with path.open("rb") as file:
        file.seek(start)
        waiting = file.read(_CHUNK)
        while not stream.eof:
            if not waiting:
                raise ValueError("the compressed voxels end too early")
            unpacked += len(stream.decompress(waiting, _CHUNK))
            if unpacked > most + _MAX_OTHER:
                raise ValueError("there are more compressed voxels than the header says")
            waiting = stream.unconsumed_tail or file.read(_CHUNK)
