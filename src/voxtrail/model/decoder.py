"""SAM 2's mask decoder with what follows it: one mask a slice, its pointer and two numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

#: Logit of every pixel of a slice from which the object is absent.
ABSENT_LOGIT = -1024.0


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
        image_embedding: Tensor,
        stride4: Tensor,
        stride8: Tensor,
        sparse: Tensor,
        dense: Tensor,
        multimask: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Decode.

        Parameters
        ----------
        image_embedding
            (n, C, h, w), conditioned.
        stride4, stride8
            (n, C/8, 4h, 4w) and (n, C/4, 2h, 2w).
        sparse, dense
            (n, 1, points, C) and (n, C, h, w): the embedded prompts.
        multimask
            Whether the best of three masks is taken, or the only one.

        Returns
        -------
        tuple of Tensor
            Logits (n, 4h, 4w), pointers (n, C), predicted IoU (n,), object scores (n,); float32.
        """
        masks, ious, tokens, scores = self._decoder(
            image_embeddings=image_embedding,
            image_positional_embeddings=self._image_position.expand(
                image_embedding.shape[0], -1, -1, -1
            ),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask,
            high_resolution_features=[stride4, stride8],
        )
        masks, ious, tokens, scores = masks[:, 0], ious[:, 0], tokens[:, 0], scores[:, 0, 0]
        rows = torch.arange(image_embedding.shape[0], device=image_embedding.device)
        best = ious.argmax(dim=-1) if multimask else torch.zeros_like(rows)
        present = scores > 0
        logits = torch.where(present[:, None, None], masks[rows, best], ABSENT_LOGIT)
        pointers = torch.where(
            present[:, None], self._to_pointer(tokens[rows, best]), self._no_object
        )
        return logits, pointers, ious[rows, best], scores
