"""What PyTorch keeps of one encoded slice, and its tensors as arrays of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voxtrail.model.conventions import PACKED_NAMES


@dataclass(frozen=True, eq=False)
class SliceFeatures:
    """One encoded slice.

    Parameters
    ----------
    image_embedding
        (C, h, w).
    fine
        (C/8, 4h, 4w) and (C/4, 2h, 2w): the decoder's maps.
    """

    image_embedding: Tensor
    fine: tuple[Tensor, Tensor]

    def pack(self) -> dict[str, NDArray[np.generic]]:
        """Return it as float32 arrays."""
        tensors = (self.image_embedding, *self.fine)
        return {name: one.cpu().numpy() for name, one in zip(PACKED_NAMES, tensors, strict=True)}

    @classmethod
    def unpack(
        cls, arrays: Mapping[str, NDArray[np.generic]], device: torch.device
    ) -> SliceFeatures:
        """Return the features that `pack` made arrays of."""
        image_embedding, finest, finer = (
            torch.from_numpy(arrays[name]).to(device) for name in PACKED_NAMES
        )
        return cls(image_embedding, (finest, finer))


def to_array(tensor: Tensor) -> NDArray[np.generic]:
    """Return a tensor as an array, bfloat16 as its 16 bits."""
    held = tensor.cpu()
    if held.dtype != torch.bfloat16:
        return np.asarray(held.numpy())
    return np.asarray(held.view(torch.int16).numpy().view(np.uint16))


def from_array(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """Return what `to_array` made an array of."""
    if array.dtype != np.uint16:
        return torch.from_numpy(array).to(device)
    return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16).to(device)
