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
from voxtrail.model.memory_layout import MemoryLayout, grid
from voxtrail.model.rotary import halves, rotate, rotations

#: Weight of the neck's sine encoding in the queries (``pos_enc_at_input`` of the reference).
QUERY_POSITION_WEIGHT = 0.1


class MemoryAttention(nn.Module):
    """Conditions the features of slices on memories.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``, or another with its memory attention.
    query_position
        (h*w, C): the neck's sine encoding, added to the features.
    side
        h = w, positions a side.
    layout
        Where the tokens of a memory lie and how much each counts.
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
        layout: MemoryLayout,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        attention = network.memory_attention
        width = attention.layers[0].self_attn.head_dim
        self._layers = nn.ModuleList(_Layer(layer, dtype) for layer in attention.layers)
        self._norm = attention.layer_norm
        self._log_weight = math.log(layout.weight)
        self.register_buffer("_position", QUERY_POSITION_WEIGHT * query_position)
        angles = attention.rotary_emb.inv_freq.float()
        self.register_buffer("_turn", rotations(angles, grid(side), width, dtype))
        self.register_buffer("_turn_memory", rotations(angles, layout.places, width, dtype))

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
        """Return what makes a token that counts as several weigh more than a pointer."""
        if not self._log_weight:
            return None
        spatial = memory.new_full((memory.shape[1] * memory.shape[2],), self._log_weight)
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
        enter, leave, self._activation = _perceptron(layer)
        self._enter = Linear(enter.weight, enter.bias, dtype)
        self._leave = Linear(leave.weight, leave.bias, dtype)

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
        order = halves(attention.head_dim, attention.q_proj.weight.device)
        scale = attention.scaling
        query, key = attention.q_proj, attention.k_proj
        value, out = attention.v_proj, attention.o_proj
        self._query = Linear(query.weight[order] * scale, query.bias[order] * scale, dtype)
        self._key = Linear(key.weight[order], key.bias[order], dtype)
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
        queries = rotate(self._query(queries), turn)
        keys = self._key(placed)
        spatial = turn_tokens.shape[1]
        if spatial == keys.shape[1]:
            keys = rotate(keys, turn_tokens)
        else:
            keys = torch.cat([rotate(keys[:, :spatial], turn_tokens), keys[:, spatial:]], dim=1)
        read: Tensor = self._out(attend(queries, keys, tokens, bias))
        return read


def _perceptron(layer: Any) -> tuple[Any, Any, Any]:
    """Return a layer's two linear maps and what is between them, named as in either family."""
    if hasattr(layer, "mlp"):  # EdgeTAM
        return layer.mlp.up_proj, layer.mlp.down_proj, layer.mlp.act_fn
    return layer.linear1, layer.linear2, layer.activation
