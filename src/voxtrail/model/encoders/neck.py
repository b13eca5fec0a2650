"""The neck that SAM 2 and EdgeTAM share: from an encoder's four stages to the three maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from voxtrail.model.linear import Linear, joined


class Neck(nn.Module):
    """1x1 convolutions of each stage, in float32; the coarsest one is added to the one below.

    Those of the two fine maps and the mask decoder's that follow them are one.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel`` or ``EdgeTamVideoModel``.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        decoder = network.mask_decoder
        coarsest, coarse, finer, finest = network.vision_encoder.neck.convs
        self._coarsest = _pointwise([coarsest])
        self._coarse = _pointwise([coarse])
        self._finer = _pointwise([finer, decoder.conv_s1])
        self._finest = _pointwise([finest, decoder.conv_s0])

    def forward(self, stages: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Take four stages (n, rows, columns, channels), the finest first.

        Returns
        -------
        tuple of Tensor
            (n, C, h, w); (n, C/8, 4h, 4w) and (n, C/4, 2h, 2w): the decoder's maps.
        """
        coarsest = self._coarsest(stages[3]).permute(0, 3, 1, 2)
        above = F.interpolate(coarsest, scale_factor=2.0, mode="nearest")
        image_embedding = self._coarse(stages[2]).permute(0, 3, 1, 2) + above
        finer = self._finer(stages[1]).permute(0, 3, 1, 2)
        finest = self._finest(stages[0]).permute(0, 3, 1, 2)
        return image_embedding.contiguous(), finest.contiguous(), finer.contiguous()


def _pointwise(convolutions: list[Any]) -> Linear:
    """Join 1x1 convolutions, applied in order, into one linear map of channels in float32."""
    weights = [one.weight.detach()[:, :, 0, 0] for one in convolutions]
    biases = [one.bias.detach() for one in convolutions]
    if len(convolutions) == 1:
        return Linear(weights[0], biases[0], torch.float32)
    return joined(weights[0], biases[0], weights[1], biases[1], torch.float32)
