"""Arrays on the wire: a header, and chunks that blosc2 has compressed.

Whatever a stranger sends is looked at before memory is taken for it: the size that the header
promises is bounded, and each chunk has to be as long, packed and unpacked, as it says.

Source: ``nnInteractive/inference/remote/serialization.py`` of nninteractive-client 2.6.0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import blosc2
import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError

MAGIC = b"NNIA"
VERSION = 1
ZSTD, LZ4 = 1, 2
#: Data types that are sent by name.
DATA_TYPES = (
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(f"float{bits}" for bits in (16, 32, 64)),
)
#: blosc2 counts the bytes of what it compresses in 32 bits; the reference stops at half of that.
CHUNK_BYTES = 2**30
#: What blosc2 puts before each chunk.
FRAME_HEADER = 32
#: Level of compression: masks shrink to next to nothing at any.
LEVEL = 1

_HEAD = struct.Struct("<4sBBBB")
_CHUNK = struct.Struct("<QQ")


def header(shape: Sequence[int], dtype: np.dtype[Any], chunks: int) -> bytes:
    """Return what comes before the first chunk."""
    name = dtype.name.encode("ascii")
    return b"".join(
        (
            _HEAD.pack(MAGIC, VERSION, ZSTD, len(shape), len(name)),
            name,
            struct.pack(f"<{len(shape)}q", *shape),
            struct.pack("<I", chunks),
        )
    )


def beginning(shape: Sequence[int], dtype: np.dtype[Any]) -> bytes:
    """Return what `pack` begins with, whatever the array of this shape and type holds."""
    step = CHUNK_BYTES // dtype.itemsize
    first = min(prod(shape), step) * dtype.itemsize
    return header(shape, dtype, -(-prod(shape) // step)) + struct.pack("<Q", first)


def promised(sent: bytes | bytearray, *, axes: int) -> tuple[tuple[int, ...], int]:
    """Return the shape that the array will have, and how many bytes it will take.

    Raises
    ------
    ImageError
        If the header is none.
    """
    shape, dtype, _, _ = _read_header(sent, axes)
    return shape, prod(shape) * dtype.itemsize


def pack(array: NDArray[Any]) -> bytes:
    """Return an array as it is sent.

    Parameters
    ----------
    array
        Of a type in `DATA_TYPES`, any shape without an empty side.
    """
    raw = np.ascontiguousarray(array).reshape(-1)
    step = CHUNK_BYTES // raw.itemsize
    pieces = [raw[start : start + step] for start in range(0, raw.size, step)]
    sent = [header(array.shape, array.dtype, len(pieces))]
    for piece in pieces:
        # The size of an item has to be named: zeros that are no multiple of it cannot be unpacked.
        packed = blosc2.compress2(
            piece,
            typesize=raw.itemsize,
            codec=blosc2.Codec.ZSTD,
            clevel=LEVEL,
            filters=[blosc2.Filter.NOFILTER],
            nthreads=1,
        )
        sent += [_CHUNK.pack(piece.nbytes, len(packed)), packed]
    return b"".join(sent)


def unpack(sent: bytes | bytearray, *, axes: int, max_bytes: int) -> NDArray[Any]:
    """Return the array that was sent.

    Parameters
    ----------
    sent
        What came.
    axes
        How many axes it has to have.
    max_bytes
        Most bytes that it may take, unpacked.

    Raises
    ------
    ImageError
        If it is no such array, or is larger.
    """
    shape, dtype, chunks, at = _read_header(sent, axes)
    nbytes = prod(shape) * dtype.itemsize
    if nbytes > max_bytes:
        raise ImageError(
            "the array is too large",
            received=f"{' x '.join(map(str, shape))} of {dtype}, {nbytes} bytes",
            accepted=f"at most {max_bytes} bytes",
            remedy="crop or resample the scan, or start the server with a larger --max-bytes",
        )
    found = list(_chunks(sent, at, chunks))
    if sum(length for length, _ in found) != nbytes:
        raise _damaged(f"{sum(length for length, _ in found)} bytes for {nbytes} that are promised")
    # Zeros: whatever a damaged chunk leaves unwritten shows nothing of this process's memory.
    array = np.zeros(prod(shape), dtype)
    raw = array.view(np.uint8)
    done = 0
    for length, frame in found:
        if length % dtype.itemsize:
            raise _damaged(f"a chunk of {length} bytes of {dtype}")
        try:
            blosc2.decompress2(frame, dst=raw[done : done + length], nthreads=1)
        except (ValueError, RuntimeError, TypeError) as error:
            raise _damaged("a chunk that cannot be unpacked") from error
        done += length
    return array.reshape(shape)


def _read_header(
    sent: bytes | bytearray, axes: int
) -> tuple[tuple[int, ...], np.dtype[Any], int, int]:
    """Return shape, type and number of chunks, and where the first begins."""
    if len(sent) < _HEAD.size:
        raise _damaged(f"{len(sent)} bytes")
    magic, version, codec, ndim, length = _HEAD.unpack_from(sent)
    if magic != MAGIC or version != VERSION or codec not in (ZSTD, LZ4):
        raise _damaged(f"it begins with {sent[:6].hex()}")
    if ndim != axes:
        raise ImageError(
            "the array has the wrong number of axes",
            received=str(ndim),
            accepted=str(axes),
            remedy="send a scan as (channel, z, y, x) and a mask as (z, y, x)",
        )
    at = _HEAD.size + length
    name = sent[_HEAD.size : at].decode("ascii", "replace")
    if name not in DATA_TYPES:
        raise ImageError(
            "the array is of a type that is not accepted",
            received=name[:40],
            accepted=", ".join(DATA_TYPES),
            remedy="send plain numbers",
        )
    sizes = struct.Struct(f"<{ndim}qI")
    if len(sent) < at + sizes.size:
        raise _damaged(f"{len(sent)} bytes")
    *shape, chunks = sizes.unpack_from(sent, at)
    if min(shape) < 1:
        raise _damaged(f"a shape of {tuple(shape)}")
    return tuple(shape), np.dtype(name), chunks, at + sizes.size


def _chunks(sent: bytes | bytearray, at: int, count: int) -> Iterator[tuple[int, memoryview]]:
    """Yield each chunk's length, unpacked, and its frame."""
    view = memoryview(sent)
    for _ in range(count):  # each takes its share of what came, so a count that lies ends soon
        if len(sent) - at < _CHUNK.size + FRAME_HEADER:
            raise _damaged("fewer chunks than are promised")
        length, packed = _CHUNK.unpack_from(sent, at)
        at += _CHUNK.size
        if not 0 < length <= CHUNK_BYTES or not FRAME_HEADER <= packed <= len(sent) - at:
            raise _damaged(f"a chunk of {length} bytes, {packed} packed")
        frame = view[at : at + packed]
        try:
            unpacked, own, _ = blosc2.get_cbuffer_sizes(frame)
        except (ValueError, RuntimeError) as error:
            raise _damaged("a chunk without a header of blosc2") from error
        if unpacked != length or own != packed:
            raise _damaged(f"a chunk of {length} bytes whose frame says {unpacked}")
        yield length, frame
        at += packed
    if at != len(sent):
        raise _damaged(f"{len(sent) - at} bytes after the last chunk")


def _damaged(received: str) -> ImageError:
    return ImageError(
        "the array is truncated, damaged or of another kind",
        received=received,
        accepted="an array as nninteractive-client 2.x packs it",
        remedy="send it again, with a client of that version",
    )
