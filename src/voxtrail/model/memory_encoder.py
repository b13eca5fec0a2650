"""SAM 2's memory encoder with what surrounds it: from a mask to the tokens of a memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class MemoryEncoder(nn.Module):
    """Writes the spatial memory of a segmented slice.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``, or another with its memory encoder.
    size
        Side of the square input in pixels.
    mask_size
        Side of the masks that the memory encoder takes, in pixels: 16 times that of its maps.
    to_tokens
        See `voxtrail.model.memory_layout.MemoryLayout`.
    """

    def __init__(
        self, network: Any, size: int, mask_size: int, to_tokens: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self._encoder = network.memory_encoder
        self._absent = network.occlusion_spatial_embedding_parameter
        self._scale = float(network.config.sigmoid_scale_for_mem_enc)
        self._bias = float(network.config.sigmoid_bias_for_mem_enc)
        self._size = size
        self._mask_size = mask_size
        self._to_tokens = to_tokens

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
        masks = _resized(logits[:, None], self._size)
        masks = torch.where(
            drawn[:, None, None, None], (masks > 0).to(masks.dtype), torch.sigmoid(masks)
        )
        masks = _resized(masks * self._scale + self._bias, self._mask_size)
        memories, _ = self._encoder(image_embedding, masks)  # (n, M, h, w)
        if self._absent is not None:
            embedding = self._absent[..., None, None]
            memories = memories + absent.to(memories.dtype)[:, None, None, None] * embedding
        return self._to_tokens(memories)


def _resized(masks: Tensor, size: int) -> Tensor:
    """Enlarge (n, 1, rows, columns) to a square."""
    if masks.shape[-1] == size:
        return masks
    return F.interpolate(masks, size=(size, size), mode="bilinear", align_corners=False)
