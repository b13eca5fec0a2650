"""SAM 2's memory encoder with what surrounds it: from a mask to the tokens of a memory."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class MemoryEncoder(nn.Module):
    """Writes the spatial memory of a segmented slice.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``.
    size
        Side of the square input in pixels.
    coarse
        Whether memories are averaged over 2 x 2 positions.
    """

    def __init__(self, network: Any, size: int, coarse: bool) -> None:
        super().__init__()
        self._encoder = network.memory_encoder
        self._absent = network.occlusion_spatial_embedding_parameter
        self._scale = float(network.config.sigmoid_scale_for_mem_enc)
        self._bias = float(network.config.sigmoid_bias_for_mem_enc)
        self._size = size
        self._coarse = coarse

    def forward(
        self, image_embedding: Tensor, logits: Tensor, drawn: Tensor, absent: Tensor
    ) -> Tensor:
        """Write memories.

        Parameters
        ----------
        image_embedding
            (n, C, h, w): the slices' features at stride 16.
        logits
            (n, 4h, 4w) mask logits.
        drawn
            (n,) bool: whether the mask comes from a prompt and is therefore made binary.
        absent
            (n,) bool: whether the object is not on the slice.

        Returns
        -------
        Tensor
            (n, positions, M).
        """
        masks = logits[:, None]
        if masks.shape[-1] != self._size:
            masks = F.interpolate(
                masks, size=(self._size, self._size), mode="bilinear", align_corners=False
            )
        masks = torch.where(
            drawn[:, None, None, None], (masks > 0).to(masks.dtype), torch.sigmoid(masks)
        )
        memories, _ = self._encoder(
            image_embedding, masks * self._scale + self._bias
        )  # (n, M, h, w)
        if self._absent is not None:
            embedding = self._absent[..., None, None]
            memories = memories + absent.to(memories.dtype)[:, None, None, None] * embedding
        return as_tokens(halved(memories) if self._coarse else memories)


def as_tokens(maps: Tensor) -> Tensor:
    """Turn (n, C, h, w) into (n, h*w, C)."""
    return maps.flatten(2).transpose(1, 2)


def halved(maps: Tensor) -> Tensor:
    """Average (n, C, h, w) over 2 x 2 positions."""
    return F.avg_pool2d(maps, 2)
