"""SAM 2's mask decoder with what follows it: one mask a slice, its pointer and two numbers."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

#: Logit of every pixel of a slice from which the object is absent.
ABSENT_LOGIT = -1024.0
#: Base of the sine encoding of pointer distances.
SINE_BASE = 10_000.0


class Decoder(nn.Module):
    """From conditioned features and embedded prompts to a mask.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``.
    """

    _image_position: Tensor

    def __init__(self, network: Any) -> None:
        super().__init__()
        self._decoder = network.mask_decoder
        self._to_pointer = network.object_pointer_proj
        self._no_object = network.no_object_pointer
        self.register_buffer("_image_position", network.get_image_wide_positional_embeddings())

    def forward(
        self,
        top: Tensor,
        stride4: Tensor,
        stride8: Tensor,
        sparse: Tensor,
        dense: Tensor,
        several: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Decode.

        Parameters
        ----------
        top
            (n, C, h, w), conditioned.
        stride4, stride8
            (n, C/8, 4h, 4w) and (n, C/4, 2h, 2w).
        sparse, dense
            (n, 1, points, C) and (n, C, h, w): the embedded prompts.
        several
            Whether the best of three masks is taken, or the only one.

        Returns
        -------
        tuple of Tensor
            Logits (n, 4h, 4w), pointers (n, C), predicted IoU (n,), object scores (n,); float32.
        """
        masks, ious, tokens, scores = self._decoder(
            image_embeddings=top,
            image_positional_embeddings=self._image_position.expand(top.shape[0], -1, -1, -1),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=several,
            high_resolution_features=[stride4, stride8],
        )
        masks, ious, tokens, scores = masks[:, 0], ious[:, 0], tokens[:, 0], scores[:, 0, 0]
        rows = torch.arange(top.shape[0], device=top.device)
        best = ious.argmax(dim=-1) if several else torch.zeros_like(rows)
        present = scores > 0
        logits = torch.where(present[:, None, None], masks[rows, best], ABSENT_LOGIT)
        pointers = torch.where(
            present[:, None], self._to_pointer(tokens[rows, best]), self._no_object
        )
        return logits, pointers, ious[rows, best], scores


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
