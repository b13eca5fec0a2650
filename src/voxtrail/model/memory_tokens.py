"""What is remembered of slices, as the tokens that memory attention reads, and their places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from voxtrail.model.base import Tracking
from voxtrail.model.device import on_device

#: Base of the sine encoding of pointer distances.
SINE_BASE = 10_000.0


class MemoryTokens:
    """Gathers what some trackings recall; all recall as many memories and as many pointers.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``.
    position
        (1, k, M): the sine encoding of the k positions of a spatial memory.

    Attributes
    ----------
    position
        As given.
    of_pointers
        The part of it that is an exported graph's too.
    """

    def __init__(self, network: Any, position: Tensor) -> None:
        self._net = network
        self.position = position
        self.of_pointers = PointerTokens(network)

    @property
    def temporal_embeddings(self) -> Tensor:
        """One a slot of memory: (7, M)."""
        embeddings: Tensor = self._net.memory_temporal_positional_encoding[:, 0, 0]
        return embeddings

    def spatial(self, trackings: Sequence[Tracking]) -> tuple[Tensor, Tensor]:
        """Return the tokens of spatial memories and their places: (n, m, k, M) float32 each."""
        tokens = torch.stack(
            [torch.stack([memory for memory, _ in item.memories]) for item in trackings]
        )
        slots = [[slot for _, slot in item.memories] for item in trackings]
        which = on_device(slots, self.position.device)
        return tokens.float(), self.position + self.temporal_embeddings[which][:, :, None]

    def pointers(self, trackings: Sequence[Tracking]) -> tuple[Tensor, Tensor]:
        """Return the tokens of object pointers and their places: (n, t, M) float32 each."""
        if not trackings[0].pointers:
            none = self.position.new_zeros(len(trackings), 0, self.position.shape[2])
            return none, none
        pointers = torch.stack(
            [torch.stack([pointer for pointer, _ in item.pointers]) for item in trackings]
        )
        distances = [[distance for _, distance in item.pointers] for item in trackings]
        tokens, places = self.of_pointers(pointers, on_device(distances, pointers.device))
        return tokens, places


class PointerTokens(nn.Module):
    """From object pointers to the tokens that memory attention reads, and their positions.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        config = network.config
        self._width = int(config.memory_encoder_output_channels)
        self._channels = int(config.vision_config.fpn_hidden_size)
        self._placed = bool(config.enable_temporal_pos_encoding_for_object_pointers)
        self._projection = network.temporal_positional_encoding_projection_layer

    def forward(self, pointers: Tensor, distances: Tensor) -> tuple[Tensor, Tensor]:
        """Split each pointer (n, p, C) into C / M tokens; distances are (n, p), -1 to 1.

        Returns two of (n, p * C / M, M).
        """
        split = self._channels // self._width
        count = pointers.shape[1] * split
        tokens = pointers.reshape(-1, count, self._width)
        if not self._placed:
            return tokens, torch.zeros_like(tokens)
        position = self._projection(_sine(distances, self._channels))
        each = position[:, :, None].expand(-1, -1, split, -1)
        return tokens, each.reshape(-1, count, self._width)


def _sine(positions: Tensor, channels: int) -> Tensor:
    """Encode numbers as sines and cosines of falling frequency: (...) to (..., channels)."""
    half = channels // 2
    exponent = 2 * (torch.arange(half, device=positions.device) // 2) / half
    angles = positions[..., None] / torch.exp(exponent * math.log(SINE_BASE))
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
