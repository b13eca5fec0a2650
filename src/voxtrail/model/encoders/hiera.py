"""SAM 2's image encoder (Hiera and its neck) for slices of one grey channel.

The weights are those of transformers' ``Sam2VideoModel``; the arithmetic is the reference's with
constant parts taken out of the loop. Equal up to rounding in float32:

- the three colour channels of a slice are equal, so the first convolution has one channel; what
  normalisation adds is a constant image, joined with the position embedding;
- the neck's 1x1 convolutions and the decoder's that follow them on the two fine maps are one;
- attention's output is projected after the padding of its windows is cut off.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from voxtrail.model.attention import attend
from voxtrail.model.encoders.grey import GreyConvolution
from voxtrail.model.encoders.neck import Neck
from voxtrail.model.encoders.tokens import (
    cut_windows,
    join_heads,
    join_windows,
    normalised,
    split_heads,
)
from voxtrail.model.linear import Linear
from voxtrail.model.spec import ModelSpec


class HieraEncoder(nn.Module):
    """From grey slices to the three maps that SAM 2 keeps of each.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``.
    spec
        By whose mean and deviation images are normalised.
    size
        Side of the square input in pixels.
    dtype
        Of matrix products, and of what is added up from the second stage on; norms and position
        embeddings stay in float32.
    """

    def __init__(self, network: Any, spec: ModelSpec, size: int, dtype: torch.dtype) -> None:
        super().__init__()
        backbone = network.vision_encoder.backbone
        self._patches = _GreyPatches(backbone, spec, size, dtype)
        self._blocks = nn.ModuleList(_Block(block, dtype) for block in backbone.blocks)
        self._ends = tuple(backbone.stage_ends)
        self._neck = Neck(network)

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode slices.

        Parameters
        ----------
        grey
            (n, 1, size, size) float32, 0 to 1.

        Returns
        -------
        tuple of Tensor
            (n, C, h, w) at stride 16; (n, C/8, 4h, 4w) and (n, C/4, 2h, 2w): the decoder's maps
            at strides 4 and 8.
        """
        hidden = self._patches(grey)
        stages = []
        for index, block in enumerate(self._blocks):
            hidden = block(hidden)
            if index in self._ends:
                stages.append(hidden)
        maps: tuple[Tensor, Tensor, Tensor] = self._neck(stages)
        return maps


class _GreyPatches(nn.Module):
    """Patches with their positions: (n, 1, size, size) to (n, size/4, size/4, width)."""

    _table: Tensor

    def __init__(self, backbone: Any, spec: ModelSpec, size: int, dtype: torch.dtype) -> None:
        super().__init__()
        convolution = backbone.patch_embed.projection
        self._convolution = GreyConvolution(
            convolution.weight,
            convolution.bias,
            convolution.stride[0],
            convolution.padding[0],
            spec,
            size,
            dtype,
        )
        table = self._convolution.black.permute(0, 2, 3, 1)
        position = backbone._get_pos_embed(table.shape[1:3])
        self.register_buffer("_table", (table + position).detach())

    def forward(self, grey: Tensor) -> Tensor:
        patches: Tensor = self._convolution(grey)
        return patches.permute(0, 2, 3, 1) + self._table


class _Block(nn.Module):
    """One block of Hiera: attention within windows or all over, then a perceptron."""

    def __init__(self, block: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self._norm1, self._norm2 = block.layer_norm1, block.layer_norm2
        self._window = block.window_size
        self._stride = block.query_stride
        self._heads = block.attn.num_attention_heads
        # Queries come out scaled: pooling takes the greatest, whatever the (positive) scale.
        scale = torch.ones_like(block.attn.qkv.bias)
        scale[: block.dim_out] = block.attn.scale
        qkv = block.attn.qkv
        self._qkv = Linear(qkv.weight * scale[:, None], qkv.bias * scale, dtype)
        self._out = Linear(block.attn.proj.weight, block.attn.proj.bias, dtype)
        self._enter = Linear(block.mlp.proj_in.weight, block.mlp.proj_in.bias, dtype)
        self._leave = Linear(block.mlp.proj_out.weight, block.mlp.proj_out.bias, dtype)
        self._activation = block.mlp.activation
        self._skip = (
            Linear(block.proj.weight, block.proj.bias, dtype)
            if block.dim != block.dim_out
            else None
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """Transform (n, rows, columns, C); rows and columns are halved where queries are pooled."""
        tokens = normalised(self._norm1, hidden, self._qkv.dtype)
        residual = hidden if self._skip is None else self._skip(tokens)
        if self._stride:
            residual = _pool(residual, self._stride)
        attended = self._attend(cut_windows(tokens, self._window) if self._window else tokens)
        if self._window:
            rows, columns = residual.shape[1:3]
            attended = join_windows(attended, rows, columns)
        hidden = residual + self._out(attended)
        tokens = normalised(self._norm2, hidden, self._qkv.dtype)
        added: Tensor = self._leave(self._activation(self._enter(tokens)))
        return hidden + added

    def _attend(self, tokens: Tensor) -> Tensor:
        """Attend within each of (m, rows, columns, C)."""
        rows, columns = tokens.shape[1:3]
        queries, keys, values = self._qkv(tokens).chunk(3, dim=-1)
        if self._stride:
            queries = _pool(queries, self._stride)
            rows, columns = queries.shape[1:3]
        attended = attend(*(split_heads(part, self._heads) for part in (queries, keys, values)))
        return join_heads(attended, self._heads, rows, columns)


def _pool(tokens: Tensor, stride: tuple[int, int]) -> Tensor:
    """Take the greatest of neighbours: (m, rows, columns, C)."""
    # As `max_pool2d` does, which is slow where channels come last.
    down, across = stride
    parts = [tokens[:, i::down, j::across] for i in range(down) for j in range(across)]
    return functools.reduce(torch.maximum, parts)
