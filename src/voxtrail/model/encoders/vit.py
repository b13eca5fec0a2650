"""SAM 3's image encoder (a ViT with rotary encoding and its neck) for slices of one grey channel.

Equal to the reference up to rounding in float32: the first convolution has one channel, the pairs
of rotated channels lie in halves, and the coarsest of the neck's four maps, which nobody reads, is
left out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from voxtrail.model.attention import attend
from voxtrail.model.encoders.grey import GreyConvolution
from voxtrail.model.encoders.tokens import (
    cut_windows,
    join_heads,
    join_windows,
    normalised,
    split_heads,
)
from voxtrail.model.linear import Linear
from voxtrail.model.memory_layout import grid
from voxtrail.model.rotary import halves, rotate, rotations
from voxtrail.model.spec import ModelSpec


class VitEncoder(nn.Module):
    """From grey slices to the three maps that are kept of each.

    Parameters
    ----------
    network
        A ``transformers.Sam3TrackerVideoModel``.
    spec
        By whose mean and deviation images are normalised.
    size
        Side of the square input in pixels.
    dtype
        Of the products in blocks; norms, sums and the neck stay in float32.
    """

    _table: Tensor

    def __init__(self, network: Any, spec: ModelSpec, size: int, dtype: torch.dtype) -> None:
        super().__init__()
        backbone, neck = network.vision_encoder.backbone, network.vision_encoder.neck
        embeddings, side = backbone.embeddings, spec.positions(size)
        patches = embeddings.patch_embeddings.projection
        self._patches = GreyConvolution(
            patches.weight, patches.bias, patches.stride[0], 0, spec, size, torch.float32
        )
        position = embeddings._tile_position_embeddings(embeddings.position_embeddings, side, side)
        black = self._patches.black.permute(0, 2, 3, 1)
        self.register_buffer("_table", (black + position.reshape(1, side, side, -1)).detach())
        self._norm = backbone.layer_norm
        self._blocks = nn.ModuleList(_Block(layer, side, dtype) for layer in backbone.layers)
        self._levels = nn.ModuleList(neck.fpn_layers[:3])
        self._finest, self._finer = network.mask_decoder.conv_s0, network.mask_decoder.conv_s1

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode slices.

        Parameters
        ----------
        grey
            (n, 1, size, size) float32, 0 to 1.

        Returns
        -------
        tuple of Tensor
            (n, C, h, w); (n, C/8, 4h, 4w) and (n, C/4, 2h, 2w): the decoder's maps.
        """
        patches: Tensor = self._patches(grey)
        hidden = self._norm(patches.permute(0, 2, 3, 1) + self._table)
        for block in self._blocks:
            hidden = block(hidden)
        hidden = hidden.permute(0, 3, 1, 2)
        finest, finer, coarse = (level(hidden) for level in self._levels)
        return coarse, self._finest(finest), self._finer(finer)


class _Block(nn.Module):
    """Attention within windows or all over, then a perceptron; each adds to float32."""

    _turn: Tensor

    def __init__(self, layer: Any, side: int, dtype: torch.dtype) -> None:
        super().__init__()
        self._norm1, self._norm2 = layer.layer_norm1, layer.layer_norm2
        self._window = int(layer.window_size)
        attention, mlp = layer.attention, layer.mlp
        self._heads = int(attention.num_attention_heads)
        width = int(attention.head_dim)
        device = attention.q_proj.weight.device
        first = width * torch.arange(self._heads, device=device)[:, None]
        order = (first + halves(width, device)).reshape(-1)
        query, key, value = attention.q_proj, attention.k_proj, attention.v_proj
        scale = attention.scaling
        self._qkv = Linear(
            torch.cat([query.weight[order] * scale, key.weight[order], value.weight]),
            torch.cat([query.bias[order] * scale, key.bias[order], value.bias]),
            dtype,
        )
        # All over the image, places are those of one window, the tokens between them.
        places = grid(self._window or side)
        if not self._window:
            places = places * (layer.config.window_size / side)
        frequencies = layer.rotary_emb.inv_freq.float()
        self.register_buffer("_turn", rotations(frequencies, places, width, dtype))
        self._out = Linear(attention.o_proj.weight, attention.o_proj.bias, dtype)
        self._enter = Linear(mlp.fc1.weight, mlp.fc1.bias, dtype)
        self._leave = Linear(mlp.fc2.weight, mlp.fc2.bias, dtype)
        self._activation = mlp.activation_fn

    def forward(self, hidden: Tensor) -> Tensor:
        """Transform (n, rows, columns, C)."""
        rows, columns = hidden.shape[1:3]
        tokens = normalised(self._norm1, hidden, self._qkv.dtype)
        attended = self._attend(cut_windows(tokens, self._window) if self._window else tokens)
        if self._window:
            attended = join_windows(attended, rows, columns)
        hidden = hidden + self._out(attended)
        tokens = normalised(self._norm2, hidden, self._qkv.dtype)
        added: Tensor = self._leave(self._activation(self._enter(tokens)))
        return hidden + added

    def _attend(self, tokens: Tensor) -> Tensor:
        """Attend within each of (m, rows, columns, C)."""
        rows, columns = tokens.shape[1:3]
        queries, keys, values = (
            split_heads(part, self._heads) for part in self._qkv(tokens).chunk(3, dim=-1)
        )
        attended = attend(rotate(queries, self._turn), rotate(keys, self._turn), values)
        return join_heads(attended, self._heads, rows, columns)
