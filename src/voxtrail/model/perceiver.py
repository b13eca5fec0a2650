"""EdgeTAM's perceiver: from the map of a memory to some hundred tokens.

The weights are those of transformers' ``EdgeTamVideoModel``, whose own forward takes one memory at
a time. Equal to it up to rounding: a token that attends to itself alone is only projected.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from voxtrail.model.attention import attend
from voxtrail.model.encoders.tokens import cut_windows, join_heads, split_heads
from voxtrail.model.maps import as_tokens


class Perceiver(nn.Module):
    """Tokens without a place, which read all of a map, and tokens that read a window of it each.

    Parameters
    ----------
    network
        A ``transformers.EdgeTamVideoModel``.
    position
        (1, M, h, w): the sine encoding of the map's positions.
    """

    _position: Tensor

    def __init__(self, network: Any, position: Tensor) -> None:
        super().__init__()
        perceiver = network.spatial_perceiver
        self._free, self._placed = perceiver.latents_1d, perceiver.latents_2d
        self._windows = math.isqrt(len(self._placed))  # a side
        self._layers = nn.ModuleList(_Layer(layer) for layer in perceiver.layers)
        self._norm = perceiver.layer_norm
        self.register_buffer("_position", as_tokens(position))

    def forward(self, maps: Tensor) -> Tensor:
        """Turn (n, M, h, w) into (n, k, M): tokens without a place first."""
        count = maps.shape[0]
        free = self._free.expand(count, -1, -1)
        whole = as_tokens(maps)
        windows = cut_windows(maps.permute(0, 2, 3, 1), maps.shape[-1] // self._windows)
        windows = windows.flatten(1, 2)  # (n * windows, positions in each, M)
        placed = self._placed.repeat(count, 1)[:, None]
        for layer in self._layers:
            free = layer(free, whole, self._position)
            placed = layer(placed, windows, None)
        tokens = torch.cat([free, placed.reshape(count, -1, placed.shape[-1])], dim=1)
        perceived: Tensor = self._norm(tokens)
        return perceived


class _Layer(nn.Module):
    """Tokens read what they are given, then each other; a perceptron after either."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self._norm_given, self._norm_tokens = layer.layer_norm_input, layer.layer_norm_latents
        self._norm_self = layer.layer_norm_self
        self._cross, self._self = (
            _Attention(layer.cross_attention),
            _Attention(layer.self_attention),
        )
        self._mlp, self._self_mlp = layer.mlp, layer.self_mlp

    def forward(self, tokens: Tensor, given: Tensor, position: Tensor | None) -> Tensor:
        """Transform tokens (m, k, M) that are given (m, t, M) with positions (1, t, M) or none."""
        tokens = tokens + self._cross(self._norm_tokens(tokens), self._norm_given(given), position)
        tokens = tokens + self._mlp(tokens)
        normed = self._norm_self(tokens)
        tokens = tokens + self._self(normed, normed, None)
        read: Tensor = tokens + self._self_mlp(tokens)
        return read


class _Attention(nn.Module):
    """Attention without biases, in which positions are added to keys and values alike."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self._query, self._key, self._value, self._out = (
            attention.q_proj,
            attention.k_proj,
            attention.v_proj,
            attention.o_proj,
        )
        self._heads = int(attention.num_attention_heads)
        self._scale = float(attention.scaling)

    def forward(self, queries: Tensor, given: Tensor, position: Tensor | None) -> Tensor:
        values = self._value(given)
        if given.shape[1] > 1:
            keys = self._key(given)
            if position is not None:
                keys, values = keys + position, values + position
            projected = (self._query(queries) * self._scale, keys, values)
            attended = attend(*(split_heads(one[:, :, None], self._heads) for one in projected))
            values = join_heads(attended, self._heads, queries.shape[1], 1)[:, :, 0]
        read: Tensor = self._out(values)
        return read
