"""Bilinear resizing as PyTorch does it, in numpy: two small matrix products."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def bilinear(images: FloatArray, shape_hw: tuple[int, int]) -> FloatArray:
    """Resize (n, rows, columns) float32; where it shrinks, pixels are skipped.

    Source: ``torch.nn.functional.interpolate(mode="bilinear", align_corners=False)``.
    """
    return _resized(images, shape_hw, antialias=False)


def bilinear_antialiased(images: FloatArray, shape_hw: tuple[int, int]) -> FloatArray:
    """Resize (n, rows, columns) float32; where it shrinks, pixels are averaged.

    Source: as `bilinear`, with ``antialias=True``.
    """
    return _resized(images, shape_hw, antialias=True)


def _resized(images: FloatArray, shape_hw: tuple[int, int], *, antialias: bool) -> FloatArray:
    if images.shape[1:] == tuple(shape_hw):
        return images
    rows = _weights(images.shape[1], shape_hw[0], antialias)
    columns = _weights(images.shape[2], shape_hw[1], antialias)
    return np.asarray(rows @ images @ columns.T, dtype=np.float32)


@lru_cache(maxsize=64)
def _weights(given: int, wanted: int, antialias: bool) -> FloatArray:
    """Return (wanted, given): what each pixel of the result takes of each given one."""
    scale = given / wanted
    centres = (np.arange(wanted) + 0.5) * scale - 0.5
    if not antialias:
        centres = centres.clip(0, given - 1)
    reach = max(scale, 1.0) if antialias else 1.0
    distances = np.abs(np.arange(given)[None] - centres[:, None]) / reach
    weights: NDArray[np.float64] = np.maximum(1.0 - distances, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)
