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
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from voxtrail.model.attention import attend
from voxtrail.model.linear import Linear, joined
from voxtrail.model.spec import ModelSpec


class ImageEncoder(nn.Module):
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
        backbone, neck = network.vision_encoder.backbone, network.vision_encoder.neck
        decoder = network.mask_decoder
        self._patches = _GreyPatches(backbone, spec, size, dtype)
        self._blocks = nn.ModuleList(_Block(block, dtype) for block in backbone.blocks)
        self._ends = tuple(backbone.stage_ends)
        coarsest, coarse, finer, finest = neck.convs
        self._coarsest = _pointwise([coarsest])
        self._coarse = _pointwise([coarse])
        self._finer = _pointwise([finer, decoder.conv_s1])
        self._finest = _pointwise([finest, decoder.conv_s0])

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
        coarsest = self._coarsest(stages[3]).permute(0, 3, 1, 2)
        above = F.interpolate(coarsest, scale_factor=2.0, mode="nearest")
        image_embedding = self._coarse(stages[2]).permute(0, 3, 1, 2) + above
        finer = self._finer(stages[1]).permute(0, 3, 1, 2)
        finest = self._finest(stages[0]).permute(0, 3, 1, 2)
        return image_embedding.contiguous(), finest.contiguous(), finer.contiguous()


class _GreyPatches(nn.Module):
    """Patches with their positions: (n, 1, size, size) to (n, size/4, size/4, width)."""

    _weight: Tensor
    _table: Tensor

    def __init__(self, backbone: Any, spec: ModelSpec, size: int, dtype: torch.dtype) -> None:
        super().__init__()
        convolution = backbone.patch_embed.projection
        weight = convolution.weight.detach()
        std = torch.tensor(spec.image_std, device=weight.device)[:, None, None]
        mean = torch.tensor(spec.image_mean, device=weight.device)[:, None, None]
        self._stride, self._padding = convolution.stride, convolution.padding
        self.register_buffer("_weight", (weight / std).sum(1, keepdim=True).to(dtype))
        # What a black slice gives. Padding is black after normalisation, not before, so it is
        # taken from an image and not from the weights.
        black = (-mean / std).expand(1, 3, size, size)
        table = convolution(black).permute(0, 2, 3, 1)
        position = backbone._get_pos_embed(table.shape[1:3])
        self.register_buffer("_table", (table + position).detach())

    def forward(self, grey: Tensor) -> Tensor:
        patches = F.conv2d(
            grey.to(self._weight.dtype), self._weight, stride=self._stride, padding=self._padding
        )
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
        normed = _normed(self._norm1, hidden, self._qkv.weight.dtype)
        residual = hidden if self._skip is None else self._skip(normed)
        if self._stride:
            residual = _pool(residual, self._stride)
        attended = self._attend(_windows(normed, self._window) if self._window else normed)
        if self._window:
            rows, columns = residual.shape[1:3]
            attended = _joined(attended, rows, columns)
        hidden = residual + self._out(attended)
        normed = _normed(self._norm2, hidden, self._qkv.weight.dtype)
        added: Tensor = self._leave(self._activation(self._enter(normed)))
        return hidden + added

    def _attend(self, tokens: Tensor) -> Tensor:
        """Attend within each of (m, rows, columns, C)."""
        rows, columns = tokens.shape[1:3]
        queries, keys, values = self._qkv(tokens).chunk(3, dim=-1)
        if self._stride:
            queries = _pool(queries, self._stride)
            rows, columns = queries.shape[1:3]
        attended = attend(*(_heads(part, self._heads) for part in (queries, keys, values)))
        width = self._heads * attended.shape[-1]
        merged = attended.reshape(-1, self._heads, rows * columns, attended.shape[-1])
        return merged.transpose(1, 2).reshape(-1, rows, columns, width)


def _normed(norm: nn.LayerNorm, tokens: Tensor, dtype: torch.dtype) -> Tensor:
    """Normalise in float32, whatever the tokens' type, and return ``dtype``."""
    # CUDA's kernel wants its weights of the tokens' type.
    kind = tokens.dtype if tokens.is_cuda else norm.weight.dtype
    weight, bias = norm.weight.to(kind), norm.bias.to(kind)
    return F.layer_norm(tokens, norm.normalized_shape, weight, bias, norm.eps).to(dtype)


def _pointwise(convolutions: list[Any]) -> Linear:
    """Join 1x1 convolutions, applied in order, into one linear map of channels in float32."""
    weights = [one.weight.detach()[:, :, 0, 0] for one in convolutions]
    biases = [one.bias.detach() for one in convolutions]
    if len(convolutions) == 1:
        return Linear(weights[0], biases[0], torch.float32)
    return joined(weights[0], biases[0], weights[1], biases[1], torch.float32)


def _heads(tokens: Tensor, heads: int) -> Tensor:
    """Split (m, rows, columns, heads * d) into (m * heads, rows * columns, d)."""
    rows, columns, width = tokens.shape[1:]
    split = tokens.reshape(-1, rows * columns, heads, width // heads)
    return split.transpose(1, 2).reshape(-1, rows * columns, width // heads)


def _pool(tokens: Tensor, stride: tuple[int, int]) -> Tensor:
    """Take the greatest of neighbours: (m, rows, columns, C)."""
    # As `max_pool2d` does, which is slow where channels come last.
    down, across = stride
    parts = [tokens[:, i::down, j::across] for i in range(down) for j in range(across)]
    return functools.reduce(torch.maximum, parts)


def _windows(tokens: Tensor, side: int) -> Tensor:
    """Cut (n, rows, columns, C), padded with zeros, into (n * windows, side, side, C)."""
    rows, columns, width = tokens.shape[1:]
    tokens = F.pad(tokens, (0, 0, 0, -columns % side, 0, -rows % side))
    down, across = tokens.shape[1] // side, tokens.shape[2] // side
    cut = tokens.reshape(-1, down, side, across, side, width)
    return cut.permute(0, 1, 3, 2, 4, 5).reshape(-1, side, side, width)


def _joined(windows: Tensor, rows: int, columns: int) -> Tensor:
    """Undo `_windows`: the padding is cut off."""
    side, width = windows.shape[2:]
    down, across = -(-rows // side), -(-columns // side)
    grid = windows.reshape(-1, down, across, side, side, width)
    whole = grid.permute(0, 1, 3, 2, 4, 5).reshape(-1, down * side, across * side, width)
    # PyTorch's linear maps would rather copy their weights for each row of a cut tensor than it.
    return whole[:, :rows, :columns].contiguous()
