"""The first convolution of an image encoder, for slices whose three colour channels are equal."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from voxtrail.model.spec import ModelSpec


class GreyConvolution(nn.Module):
    """Normalisation and a convolution of three channels, as one of one channel.

    What normalisation adds is the same for every slice, and so is what it gives.

    Parameters
    ----------
    weight
        (D, 3, k, k).
    bias
        (D,), or None.
    stride, padding
        Of the convolution.
    spec
        By whose mean and deviation images are normalised.
    size
        Side of the square input in pixels.
    dtype
        Of the products.

    Attributes
    ----------
    black
        (1, D, h, w): what a black slice gives, to be added; whoever has constants of his own joins
        them with it.
    """

    weight: Tensor
    black: Tensor

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: int,
        spec: ModelSpec,
        size: int,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        weight = weight.detach()
        std = torch.tensor(spec.image_std, device=weight.device)[:, None, None]
        mean = torch.tensor(spec.image_mean, device=weight.device)[:, None, None]
        self._stride, self._padding = stride, padding
        self.register_buffer("weight", (weight / std).sum(1, keepdim=True).to(dtype))
        # Padding is black after normalisation, not before, so it is taken from an image and not
        # from the weights.
        black = (-mean / std).expand(1, 3, size, size)
        self.register_buffer("black", F.conv2d(black, weight, bias, stride, padding))

    def forward(self, grey: Tensor) -> Tensor:
        """Convolve (n, 1, size, size), 0 to 1; `black` is still to be added."""
        return F.conv2d(
            grey.to(self.weight.dtype), self.weight, stride=self._stride, padding=self._padding
        )
