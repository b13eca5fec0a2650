"""EdgeTAM's image encoder (RepViT and its neck) for slices of one grey channel.

Equal to the reference up to rounding in float32: batch norms are folded into the convolutions
before them, and the three branches of a token mixer into one.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from voxtrail.model.encoders.grey import GreyConvolution
from voxtrail.model.encoders.neck import Neck
from voxtrail.model.spec import ModelSpec


class RepVitEncoder(nn.Module):
    """From grey slices to the three maps that are kept of each.

    Parameters
    ----------
    network
        A ``transformers.EdgeTamVideoModel`` whose backbone is a `voxtrail.model.repvit.RepVit`.
    spec
        By whose mean and deviation images are normalised.
    size
        Side of the square input in pixels.
    dtype
        Of the backbone's products and of what is added up; the neck stays in float32.
    """

    def __init__(self, network: Any, spec: ModelSpec, size: int, dtype: torch.dtype) -> None:
        super().__init__()
        backbone = network.vision_encoder.backbone.timm_model
        first = backbone.stem.conv1
        weight, bias = first.folded()
        self._first = GreyConvolution(
            weight, bias, first.c.stride[0], first.c.padding[0], spec, size, dtype
        )
        self._second = _folded(backbone.stem.conv2, dtype)
        self._stages = nn.ModuleList(
            nn.Sequential(
                *([] if index == 0 else [_Downsample(stage.downsample, dtype)]),
                *(_Block(block, dtype) for block in stage.blocks),
            )
            for index, stage in enumerate(backbone.stages())
        )
        self._neck = Neck(network)

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode slices: (n, 1, size, size) float32, 0 to 1; see `Neck.forward`."""
        # Where channels come last in memory, convolutions take half the time on processors.
        maps = (self._first(grey) + self._first.black).to(self._first.weight.dtype)
        maps = self._second(F.gelu(maps.contiguous(memory_format=torch.channels_last)))
        found = []
        for stage in self._stages:
            maps = stage(maps)
            found.append(maps.permute(0, 2, 3, 1))
        encoded: tuple[Tensor, Tensor, Tensor] = self._neck(found)
        return encoded


class _Convolution(nn.Module):
    """A convolution with a bias, frozen."""

    weight: Tensor
    bias: Tensor

    def __init__(
        self, weight: Tensor, bias: Tensor, stride: int, groups: int, dtype: torch.dtype
    ) -> None:
        super().__init__()
        held = weight.detach().to(dtype).contiguous(memory_format=torch.channels_last)
        self.register_buffer("weight", held)
        self.register_buffer("bias", bias.detach().to(dtype))
        self._stride, self._padding, self._groups = stride, weight.shape[-1] // 2, groups

    def forward(self, maps: Tensor) -> Tensor:
        return F.conv2d(maps, self.weight, self.bias, self._stride, self._padding, 1, self._groups)


class _Mixer(nn.Module):
    """A channel mixer, added."""

    def __init__(self, mixer: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self._enter, self._leave = _folded(mixer.conv1, dtype), _folded(mixer.conv2, dtype)

    def forward(self, maps: Tensor) -> Tensor:
        added: Tensor = self._leave(F.gelu(self._enter(maps)))
        return maps + added


class _Block(nn.Module):
    """A block: token mixer, perhaps squeeze-and-excite, channel mixer."""

    def __init__(self, block: Any, dtype: torch.dtype) -> None:
        super().__init__()
        weight, bias = block.token_mixer.folded()
        self._tokens = _Convolution(weight, bias, stride=1, groups=len(weight), dtype=dtype)
        self._squeezes = hasattr(block.se, "fc1")
        if self._squeezes:
            self._squeeze, self._excite = (
                _Convolution(one.weight, one.bias, stride=1, groups=1, dtype=dtype)
                for one in (block.se.fc1, block.se.fc2)
            )
        self._channels = _Mixer(block.channel_mixer, dtype)

    def forward(self, maps: Tensor) -> Tensor:
        maps = self._tokens(maps)
        if self._squeezes:
            means = maps.mean((2, 3), keepdim=True)
            maps = maps * torch.sigmoid(self._excite(F.relu(self._squeeze(means))))
        mixed: Tensor = self._channels(maps)
        return mixed


class _Downsample(nn.Module):
    """What stands before a stage's blocks."""

    def __init__(self, downsample: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self._parts = nn.Sequential(
            _Block(downsample.pre_block, dtype),
            _folded(downsample.spatial_downsample, dtype),
            _folded(downsample.channel_downsample, dtype),
            _Mixer(downsample.ffn, dtype),
        )

    def forward(self, maps: Tensor) -> Tensor:
        smaller: Tensor = self._parts(maps)
        return smaller


def _folded(pair: Any, dtype: torch.dtype) -> _Convolution:
    weight, bias = pair.folded()
    return _Convolution(weight, bias, pair.c.stride[0], pair.c.groups, dtype)
