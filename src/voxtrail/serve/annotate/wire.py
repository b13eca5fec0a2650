"""Masks, slices and volumes as they go over the wire.

A volume has i fastest: index = i + nx * (j + ny * k), RAS+. A slice has the lower of its two axes
fastest. A mask of a slice is packed into bits, the least significant first. A slice of
`Axis.to_stack` has rows and columns that run against those axes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.errors import PromptError

_INT16 = np.iinfo(np.int16)


def size_of(axis: Axis, shape: Sequence[int]) -> tuple[int, int]:
    """Return rows and columns of the slices of an axis; ``shape`` is the scan's, RAS+."""
    return shape[axis.row_axis], shape[axis.column_axis]


def pack(mask: NDArray[np.bool_]) -> bytes:
    """Return a mask (rows, columns) of `Axis.to_stack` as it goes over the wire."""
    return np.packbits(mask[::-1, ::-1].ravel(), bitorder="little").tobytes()


def unpack(packed: bytes, axis: Axis, shape: Sequence[int]) -> NDArray[np.bool_]:
    """Return a mask (rows, columns) from the wire.

    Raises
    ------
    PromptError
        If it has not as many bytes as the slice asks for.
    """
    rows, columns = size_of(axis, shape)
    if len(packed) != -(-rows * columns // 8):
        raise PromptError(
            "the mask does not fill the slice",
            received=f"{len(packed)} bytes",
            accepted=f"{-(-rows * columns // 8)}: a bit for each of {columns} x {rows} voxels",
            remedy="send a bit a voxel, the least significant first",
        )
    bits = np.unpackbits(
        np.frombuffer(packed, np.uint8), count=rows * columns, bitorder="little"
    ).view(np.bool_)
    return np.ascontiguousarray(bits.reshape(rows, columns)[::-1, ::-1])


def point(xy: Sequence[float], axis: Axis, shape: Sequence[int]) -> tuple[float, float]:
    """Return (column, row) in the frame of `Axis.to_stack` of a point on the wire."""
    rows, columns = size_of(axis, shape)
    return columns - 1 - float(xy[0]), rows - 1 - float(xy[1])


def slice_of(volume: NDArray[np.uint8], axis: Axis, index: int) -> bytes:
    """Return a slice (RAS+ number) of labels as it goes over the wire."""
    return np.ascontiguousarray(axis.to_stack(volume)[index][::-1, ::-1]).tobytes()


def hounsfield(voxels: NDArray[Any]) -> Iterator[bytes]:
    """Yield a scan (i, j, k) as int16, little-endian, rounded and clipped, piece by piece."""
    for k in range(voxels.shape[2]):
        plane = voxels[:, :, k].T  # (j, i)
        if plane.dtype.kind == "f":
            plane = np.rint(plane)
        if plane.dtype != np.int16:
            plane = plane.clip(_INT16.min, _INT16.max)
        yield np.ascontiguousarray(plane, dtype="<i2").tobytes()


def labels(volume: NDArray[np.uint8], *, gzip: bool) -> Iterator[bytes]:
    """Yield labels (i, j, k), piece by piece; packed by gzip where asked for."""
    packer = zlib.compressobj(1, wbits=31) if gzip else None
    for k in range(volume.shape[2]):
        plane = np.ascontiguousarray(volume[:, :, k].T).tobytes()
        if packer:
            plane = packer.compress(plane)
        if plane:
            yield plane
    if packer:
        yield packer.flush()
