"""SAM 2's mask decoder with what follows it: the masks of a slice, their pointers and numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

#: Logit of every pixel of a slice from which the object is absent.
ABSENT_LOGIT = -1024.0


class Decoder(nn.Module):
    """From conditioned features and embedded prompts to masks, of which `best` takes one.

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
            Whether k is three masks, or a single one.

        Returns
        -------
        tuple of Tensor
            Logits (n, k, 4h, 4w), pointers (n, k, C), predicted IoU (n, k), object scores (n,);
            float32.
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
        present = scores > 0
        logits = torch.where(present[:, None, None, None], masks, ABSENT_LOGIT)
        pointers = torch.where(present[:, None, None], self._to_pointer(tokens), self._no_object)
        return logits, pointers, ious, scores


def best(
    logits: Tensor, pointers: Tensor, ious: Tensor, scores: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return of what `Decoder` returns the mask with the highest predicted IoU, without the k."""
    rows = torch.arange(len(ious), device=ious.device)
    chosen = ious.argmax(dim=-1)
    return logits[rows, chosen], pointers[rows, chosen], ious[rows, chosen], scores
