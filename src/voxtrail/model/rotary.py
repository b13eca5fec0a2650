"""Rotary encoding of places in the plane, for channels whose pairs lie in halves.

The reference rotates channels 0 and 1, 2 and 3, and so on. Queries and keys may hold the first of
each pair in one half and the second in the other, as long as both do: that is cheaper to rotate.
"""

from __future__ import annotations

import torch
from torch import Tensor


def halves(width: int, device: torch.device) -> Tensor:
    """Return the order that puts the first of each pair of channels before all the second ones."""
    return torch.arange(width, device=device).reshape(-1, 2).T.reshape(-1)


def rotations(frequencies: Tensor, places: Tensor, width: int, dtype: torch.dtype) -> Tensor:
    """Return (2, positions, C/2): cosines and sines of each pair's angle, x before y.

    Parameters
    ----------
    frequencies
        (C/4,): of each pair's angle along one axis.
    places
        (positions, 2): x and y.
    width
        C, channels of one head.
    dtype
        Of what is returned.
    """
    angles = places.to(frequencies.device)[:, :, None] * frequencies  # (positions, 2, C/4)
    angles = angles.reshape(len(places), width // 2)
    return torch.stack([angles.cos(), angles.sin()]).to(dtype)


def rotate(tokens: Tensor, turn: Tensor) -> Tensor:
    """Rotate (n, positions, C), whose pairs lie in halves, by (2, positions, C/2)."""
    first, second = tokens.chunk(2, dim=-1)
    cos, sin = turn[0], turn[1]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
