"""Tokens of transformers' encoders: windows, heads, norms."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


def normalised(norm: nn.LayerNorm, tokens: Tensor, dtype: torch.dtype) -> Tensor:
    """Normalise in float32, whatever the tokens' type, and return ``dtype``."""
    # CUDA's kernel wants its weights of the tokens' type.
    kind = tokens.dtype if tokens.is_cuda else norm.weight.dtype
    weight, bias = norm.weight.to(kind), norm.bias.to(kind)
    return F.layer_norm(tokens, norm.normalized_shape, weight, bias, norm.eps).to(dtype)


def split_heads(tokens: Tensor, count: int) -> Tensor:
    """Split (m, rows, columns, count * d) into (m * count, rows * columns, d)."""
    rows, columns, width = tokens.shape[1:]
    split = tokens.reshape(-1, rows * columns, count, width // count)
    return split.transpose(1, 2).reshape(-1, rows * columns, width // count)


def join_heads(split: Tensor, count: int, rows: int, columns: int) -> Tensor:
    """Undo `split_heads`."""
    width = split.shape[-1]
    whole = split.reshape(-1, count, rows * columns, width).transpose(1, 2)
    return whole.reshape(-1, rows, columns, count * width)


def cut_windows(tokens: Tensor, side: int) -> Tensor:
    """Cut (n, rows, columns, C), padded with zeros, into (n * windows, side, side, C)."""
    rows, columns, width = tokens.shape[1:]
    tokens = F.pad(tokens, (0, 0, 0, -columns % side, 0, -rows % side))
    down, across = tokens.shape[1] // side, tokens.shape[2] // side
    split = tokens.reshape(-1, down, side, across, side, width)
    return split.permute(0, 1, 3, 2, 4, 5).reshape(-1, side, side, width)


def join_windows(cut: Tensor, rows: int, columns: int) -> Tensor:
    """Undo `cut_windows`: the padding is cut off."""
    side, width = cut.shape[2:]
    down, across = -(-rows // side), -(-columns // side)
    grid = cut.reshape(-1, down, across, side, side, width)
    whole = grid.permute(0, 1, 3, 2, 4, 5).reshape(-1, down * side, across * side, width)
    # PyTorch's linear maps would rather copy their weights for each row of a cut tensor than it.
    return whole[:, :rows, :columns].contiguous()
