"""SAM 2's memory attention: the tokens of a slice attend to themselves and to memories.

The weights are those of transformers' ``Sam2VideoModel``. The arithmetic is the reference's with
linear maps moved to where they cost least; equal up to rounding in float32:

- values carry no rotary encoding, so tokens are averaged as they are (64 channels of a memory)
  and the average is projected, by one matrix for the value and the output projection;
- pairs of rotated channels lie in halves rather than side by side, which queries and keys may do
  as long as both do, and the scale of the scores is in the query projection;
- what comes before the first memory is read does not depend on the label, so labels that look at
  the same slice share it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from voxtrail.model.attention import attend
from voxtrail.model.linear import Linear, joined

#: Weight of the neck's sine encoding in the queries (``pos_enc_at_input`` of the reference).
QUERY_POSITION_WEIGHT = 0.1


class MemoryAttention(nn.Module):
    """Conditions the features of slices on memories.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``.
    query_position
        (h*w, C): the neck's sine encoding, added to the features.
    side
        h = w, positions a side.
    coarse
        Whether memory tokens stand for 2 x 2 positions each.
    dtype
        Of matrix products; sums and norms stay in float32.
    """

    _position: Tensor
    _turn: Tensor
    _turn_memory: Tensor

    def __init__(
        self,
        network: Any,
        query_position: Tensor,
        side: int,
        coarse: bool,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        attention = network.memory_attention
        width = attention.layers[0].self_attn.head_dim
        self._layers = nn.ModuleList(_Layer(layer, dtype) for layer in attention.layers)
        self._norm = attention.layer_norm
        self._log_tokens = math.log(4.0) if coarse else 0.0
        self.register_buffer("_position", QUERY_POSITION_WEIGHT * query_position)
        angles = attention.rotary_emb.inv_freq.float()
        self.register_buffer("_turn", _rotations(angles, _places(side, coarse=False), width, dtype))
        self.register_buffer(
            "_turn_memory", _rotations(angles, _places(side, coarse), width, dtype)
        )

    def forward(
        self,
        features: Tensor,
        item: Tensor,
        memory: Tensor,
        position: Tensor,
        pointers: Tensor,
        pointer_position: Tensor,
    ) -> Tensor:
        """Attend.

        Parameters
        ----------
        features
            (u, C, h, w): the slices looked at.
        item
            (n,) int64: which of them each label looks at.
        memory, position
            (n, m, k, M): m spatial memories of k tokens for each label, and their positions.
        pointers, pointer_position
            (n, p, M): tokens of object pointers and their positions.

        Returns
        -------
        Tensor
            (n, C, h, w) float32.
        """
        queries = features.flatten(2).transpose(1, 2).float() + self._position
        tokens = torch.cat([memory.flatten(1, 2), pointers], dim=1)
        placed = tokens + torch.cat([position.flatten(1, 2), pointer_position], dim=1)
        tokens, placed = tokens.to(self._turn.dtype), placed.to(self._turn.dtype)
        turns = self._turn_memory.repeat(1, memory.shape[1], 1)
        bias = self._bias(memory, pointers)
        for index, layer in enumerate(self._layers):
            assert isinstance(layer, _Layer)
            queries = layer.attend_to_itself(queries, self._turn)
            if index == 0:
                queries = queries[item]
            queries = layer.attend_to_memory(queries, self._turn, tokens, placed, turns, bias)
            queries = layer.mlp(queries)
        attended: Tensor = self._norm(queries)
        return attended.transpose(1, 2).reshape(-1, *features.shape[1:])

    def _bias(self, memory: Tensor, pointers: Tensor) -> Tensor | None:
        """Return what makes a token of four positions count four times as much as a pointer."""
        if not self._log_tokens:
            return None
        spatial = memory.new_full((memory.shape[1] * memory.shape[2],), self._log_tokens)
        return torch.cat([spatial, memory.new_zeros(pointers.shape[1])])


class _Layer(nn.Module):
    """Self-attention, attention to memories, perceptron; each adds to (n, h*w, C) float32."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self._norm1, self._norm2, self._norm3 = (
            layer.layer_norm1,
            layer.layer_norm2,
            layer.layer_norm3,
        )
        self._self = _Projections(layer.self_attn, dtype)
        self._cross = _Projections(layer.cross_attn_image, dtype)
        self._enter = Linear(layer.linear1.weight, layer.linear1.bias, dtype)
        self._leave = Linear(layer.linear2.weight, layer.linear2.bias, dtype)
        self._activation = layer.activation

    def attend_to_itself(self, queries: Tensor, turn: Tensor) -> Tensor:
        normed = self._norm1(queries).to(turn.dtype)
        added: Tensor = self._self(normed, turn, normed, normed, turn, None)
        return queries + added

    def attend_to_memory(
        self,
        queries: Tensor,
        turn: Tensor,
        tokens: Tensor,
        placed: Tensor,
        turn_tokens: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        added: Tensor = self._cross(self._norm2(queries), turn, tokens, placed, turn_tokens, bias)
        return queries + added

    def mlp(self, queries: Tensor) -> Tensor:
        added: Tensor = self._leave(self._activation(self._enter(self._norm3(queries))))
        return queries + added


class _Projections(nn.Module):
    """One attention with a single head: queries (n, a, C) read tokens (n, t, V)."""

    def __init__(self, attention: Any, dtype: torch.dtype) -> None:
        super().__init__()
        halves = _halves(attention.head_dim, attention.q_proj.weight.device)
        scale = attention.scaling
        query, key = attention.q_proj, attention.k_proj
        value, out = attention.v_proj, attention.o_proj
        self._query = Linear(query.weight[halves] * scale, query.bias[halves] * scale, dtype)
        self._key = Linear(key.weight[halves], key.bias[halves], dtype)
        self._out = joined(value.weight, value.bias, out.weight, out.bias, dtype)

    def forward(
        self,
        queries: Tensor,
        turn: Tensor,
        tokens: Tensor,
        placed: Tensor,
        turn_tokens: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        """Read tokens; the last of them, beyond the turns, are keys without a place."""
        queries = _rotate(self._query(queries), turn)
        keys = self._key(placed)
        spatial = turn_tokens.shape[1]
        if spatial == keys.shape[1]:
            keys = _rotate(keys, turn_tokens)
        else:
            keys = torch.cat([_rotate(keys[:, :spatial], turn_tokens), keys[:, spatial:]], dim=1)
        read: Tensor = self._out(attend(queries, keys, tokens, bias))
        return read


def _halves(width: int, device: torch.device) -> Tensor:
    """Return the order that puts the first of each pair of channels before all the second ones."""
    return torch.arange(width, device=device).reshape(-1, 2).T.reshape(-1)


def _places(side: int, coarse: bool) -> Tensor:
    """Return (positions, 2): x and y of each token, in units of the fine grid."""
    step = 2 if coarse else 1
    along = torch.arange(0, side, step, dtype=torch.float32) + (step - 1) / 2
    rows, columns = torch.meshgrid(along, along, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=-1)


def _rotations(frequencies: Tensor, places: Tensor, width: int, dtype: torch.dtype) -> Tensor:
    """Return (2, positions, C/2): cosines and sines of each pair's angle, x before y."""
    angles = places.to(frequencies.device)[:, :, None] * frequencies  # (positions, 2, C/4)
    angles = angles.reshape(len(places), width // 2)
    return torch.stack([angles.cos(), angles.sin()]).to(dtype)


def _rotate(tokens: Tensor, turn: Tensor) -> Tensor:
    """Rotate (n, positions, C), whose pairs lie in halves, by (2, positions, C/2)."""
    first, second = tokens.chunk(2, dim=-1)
    cos, sin = turn[0], turn[1]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
