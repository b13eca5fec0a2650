"""Linear maps whose products are of 8-bit integers: what old processors multiply fastest.

Weights are rounded once, each row by its own scale; what comes in is rounded at each call, by the
range that it has then ("dynamic quantization"), so nothing is fitted to any data. Sums and what
comes out are float32. The products are oneDNN's, by the operators that PyTorch's own compiler
writes for quantized models; PyTorch's tensors of a quantized type are about to be removed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from voxtrail.model.linear import Linear

#: The greatest weight of a row, and the greatest number that comes in.
LARGEST_WEIGHT, LARGEST_TOKEN = 127, 255
SMALLEST_SCALE = 1e-12
#: What comes out of a product: scale and zero, type, and what is done to it: nothing.
_AS_FLOAT32: tuple[Any, ...] = (1.0, 0, torch.float32, "none", [], "")


class Int8Linear(nn.Module):
    """A linear map of the last dimension, in 8-bit integers.

    Parameters
    ----------
    exact
        The map in float32.
    """

    dtype = torch.float32

    def __init__(self, exact: Linear) -> None:
        super().__init__()
        greatest = exact.weight.abs().amax(dim=1)
        self._scales = (greatest / LARGEST_WEIGHT).clamp(min=SMALLEST_SCALE)
        self._zeros = torch.zeros(len(greatest), dtype=torch.int32)
        self._bias = exact.bias
        rounded = (exact.weight / self._scales[:, None]).round().to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (..., C) to (..., D)."""
        least, greatest = (float(one) for one in tokens.aminmax())
        least, greatest = min(least, 0.0), max(greatest, 0.0)
        scale = max((greatest - least) / LARGEST_TOKEN, SMALLEST_SCALE)
        zero = round(-least / scale)
        # What is cut off is rounded by the half.
        rounded = tokens.mul(1 / scale).add_(zero + 0.5).clamp_(0, LARGEST_TOKEN).to(torch.uint8)
        weights = self._packed, self._scales, self._zeros, self._bias
        mapped: Tensor = torch.ops.onednn.qlinear_pointwise(
            rounded.flatten(0, -2), scale, zero, *weights, *_AS_FLOAT32
        )
        return mapped.reshape(*tokens.shape[:-1], -1)


def in_int8(module: nn.Module) -> None:
    """Put an `Int8Linear` in the place of every `Linear` within a module."""
    for name, child in module.named_children():
        if isinstance(child, Linear):
            setattr(module, name, Int8Linear(child))
        else:
            in_int8(child)
