"""A frozen linear map in a number type of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Linear(nn.Module):
    """A linear map of the last dimension.

    Parameters
    ----------
    weight
        (D, C).
    bias
        (D,).
    dtype
        Of the product; whatever comes in is brought to it.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("weight", weight.detach().to(dtype))
        self.register_buffer("bias", bias.detach().to(dtype))

    @property
    def dtype(self) -> torch.dtype:
        """Of the product."""
        return self.weight.dtype

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (..., C) to (..., D)."""
        return F.linear(tokens.to(self.dtype), self.weight, self.bias)


def joined(
    weight: Tensor, bias: Tensor, then_weight: Tensor, then_bias: Tensor, dtype: torch.dtype
) -> Linear:
    """Return one linear map that does what two do in turn.

    They are multiplied in float64, so that the result does not depend on how the weights happen to
    lie in memory.
    """
    first, second = weight.detach().double(), then_weight.detach().double()
    offset = second @ bias.detach().double() + then_bias.detach().double()
    return Linear(second @ first, offset, dtype)


def number_type(precision: str) -> torch.dtype:
    """Return the type of numbers between the products of a `Shortcuts`' precision."""
    return torch.bfloat16 if precision == "bfloat16" else torch.float32
