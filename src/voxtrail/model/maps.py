"""Images, masks and logits as maps: brought to another size as the reference does it, measured."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def fitted(maps: Tensor, size: int) -> Tensor:
    """Bring (n, 1, rows, columns) to a square as the reference does images and masks."""
    if maps.shape[-2:] == (size, size):
        return maps
    return F.interpolate(
        maps, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )


def shares(logits: Tensor) -> Tensor:
    """Return the share of each mask's pixels (n, rows, columns) that lie inside: (n,)."""
    return (logits > 0).float().mean(dim=(1, 2))


def copied(features: Tensor) -> Tensor:
    """Return a copy that keeps no other tensor's memory alive, laid out as read from a file."""
    return features.clone(memory_format=torch.contiguous_format)


def resized(logits: Tensor, shape_hw: tuple[int, int]) -> Tensor:
    """Bring mask logits (n, 1, h, w) to the size of slices."""
    if tuple(logits.shape[-2:]) == tuple(shape_hw):
        return logits
    return F.interpolate(logits, size=shape_hw, mode="bilinear", align_corners=False)


def as_tokens(maps: Tensor) -> Tensor:
    """Turn (n, C, h, w) into (n, h*w, C)."""
    return maps.flatten(2).transpose(1, 2)


def halved(maps: Tensor) -> Tensor:
    """Average (n, C, h, w) over 2 x 2 positions."""
    return F.avg_pool2d(maps, 2)


def sine_map(encoding: Any, channels: int, side: int, device: torch.device) -> Tensor:
    """Return what a sine encoding of transformers gives a grid: (1, channels, side, side)."""
    found: Tensor = encoding(torch.Size((1, channels, side, side)), device, torch.float32)
    return found
