"""RepViT, the backbone of EdgeTAM's image encoder, as a holder of weights.

Its modules bear the names that timm gives them, so that checkpoints written with timm fit; timm
itself, and the torchvision that it imports, are not needed. What computes with these weights is
`voxtrail.model.encoders.repvit`; the plain ``forward`` here serves transformers' own session.

Source: "RepViT: Revisiting Mobile CNN From ViT Perspective" (arXiv 2307.09283), and the names and
sizes of ``timm.models.repvit`` 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel

from voxtrail.errors import WeightsError

#: Channels of the stages and blocks in each, of what timm calls so.
ARCHITECTURES: Mapping[str, tuple[list[int], list[int]]] = {
    "repvit_m1": ([48, 96, 192, 384], [2, 2, 14, 2]),
}
#: EdgeTAM's, which configurations need not name.
PUBLISHED = "repvit_m1"
#: The channel mixers are so many times as wide inside.
MIXER_RATIO = 2
#: Of a squeeze-and-excite, inside: a quarter of the channels, to the nearest multiple of eight.
SQUEEZED, SQUEEZED_MULTIPLE = 4, 8


class RepVitConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers has no types
    """Sizes of a RepViT.

    Parameters
    ----------
    widths
        Channels of the stages.
    depths
        Blocks of the stages.
    """

    model_type = "voxtrail_repvit"

    widths: list[int] | None = None
    depths: list[int] | None = None


def config_of_timm(held: Mapping[str, Any]) -> RepVitConfig:
    """Return the sizes of what a ``timm_wrapper`` configuration names.

    Raises
    ------
    WeightsError
        If it names another architecture.
    """
    name = str(held.get("architecture", PUBLISHED)).split(".")[0]
    if name not in ARCHITECTURES:
        raise WeightsError(
            "the image backbone of this EdgeTAM is another than the published one's",
            received=f"the architecture {held.get('architecture')}",
            accepted=", ".join(ARCHITECTURES),
            remedy="pass a published EdgeTAM, or one fine-tuned from it",
        )
    given = held.get("model_args") or {}
    widths, depths = ARCHITECTURES[name]
    return RepVitConfig(
        widths=list(given.get("embed_dim", widths)), depths=list(given.get("depth", depths))
    )


class ConvNorm(nn.Module):
    """A convolution without bias and its batch norm."""

    def __init__(self, given: int, made: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.c = nn.Conv2d(given, made, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(made)

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve (n, given, h, w)."""
        normed: Tensor = self.bn(self.c(maps))
        return normed

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the convolution that does both."""
        norm = self.bn
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return self.c.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


class TokenMixer(nn.Module):
    """Depthwise 3x3 and 1x1 convolutions and the maps themselves, added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = ConvNorm(width, width, 3, groups=width)
        self.conv1 = ConvNorm(width, width, 1, groups=width)

    def forward(self, maps: Tensor) -> Tensor:
        """Mix (n, C, h, w)."""
        mixed: Tensor = self.conv(maps) + self.conv1(maps) + maps
        return mixed

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the one 3x3 convolution that does it."""
        weight, bias = self.conv.folded()
        middle, middle_bias = self.conv1.folded()
        return weight + F.pad(middle + 1, (1, 1, 1, 1)), bias + middle_bias


class SqueezeExcite(nn.Module):
    """Channels weighed by what the whole map has of each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = SQUEEZED_MULTIPLE // 2
        squeezed = (width // SQUEEZED + half) // SQUEEZED_MULTIPLE * SQUEEZED_MULTIPLE
        self.fc1 = nn.Conv2d(width, max(squeezed, SQUEEZED_MULTIPLE), 1)
        self.fc2 = nn.Conv2d(max(squeezed, SQUEEZED_MULTIPLE), width, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Weigh (n, C, h, w)."""
        means = maps.mean((2, 3), keepdim=True)
        weighed: Tensor = maps * torch.sigmoid(self.fc2(F.relu(self.fc1(means))))
        return weighed


class ChannelMixer(nn.Module):
    """A perceptron of each position's channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, MIXER_RATIO * width, 1)
        self.conv2 = ConvNorm(MIXER_RATIO * width, width, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Mix (n, C, h, w)."""
        mixed: Tensor = self.conv2(F.gelu(self.conv1(maps)))
        return mixed


class Block(nn.Module):
    """Token mixer, perhaps a squeeze-and-excite, and a channel mixer that is added."""

    def __init__(self, width: int, *, squeeze: bool) -> None:
        super().__init__()
        self.token_mixer = TokenMixer(width)
        self.se = SqueezeExcite(width) if squeeze else nn.Identity()
        self.channel_mixer = ChannelMixer(width)

    def forward(self, maps: Tensor) -> Tensor:
        """Transform (n, C, h, w)."""
        maps = self.se(self.token_mixer(maps))
        mixed: Tensor = maps + self.channel_mixer(maps)
        return mixed


class Downsample(nn.Module):
    """To half the size and more channels."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.pre_block = Block(given, squeeze=False)
        self.spatial_downsample = ConvNorm(given, given, 3, stride=2, groups=given)
        self.channel_downsample = ConvNorm(given, made, 1)
        self.ffn = ChannelMixer(made)

    def forward(self, maps: Tensor) -> Tensor:
        """Transform (n, given, h, w) to (n, made, h/2, w/2)."""
        maps = self.channel_downsample(self.spatial_downsample(self.pre_block(maps)))
        mixed: Tensor = maps + self.ffn(maps)
        return mixed


class Stage(nn.Module):
    """Blocks of one width; every other one, from the first on, squeezes and excites."""

    def __init__(self, given: int | None, made: int, depth: int) -> None:
        super().__init__()
        self.downsample = nn.Identity() if given is None else Downsample(given, made)
        self.blocks = nn.Sequential(*(Block(made, squeeze=i % 2 == 0) for i in range(depth)))

    def forward(self, maps: Tensor) -> Tensor:
        """Transform (n, given, h, w)."""
        transformed: Tensor = self.blocks(self.downsample(maps))
        return transformed


class Stem(nn.Module):
    """From images (n, 3, size, size) to (n, C, size/4, size/4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(3, width // 2, 3, stride=2)
        self.conv2 = ConvNorm(width // 2, width, 3, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve twice."""
        maps: Tensor = self.conv2(F.gelu(self.conv1(images)))
        return maps


class Stages(nn.Module):
    """Stem and stages, ``stages_0`` and on."""

    def __init__(self, widths: list[int], depths: list[int]) -> None:
        super().__init__()
        self.stem = Stem(widths[0])
        for index, (given, made, depth) in enumerate(
            zip([None, *widths], widths, depths, strict=False)
        ):
            self.add_module(f"stages_{index}", Stage(given, made, depth))

    def stages(self) -> list[Stage]:
        """Return the stages in order."""
        return [one for one in self.children() if isinstance(one, Stage)]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return what each stage makes of images (n, 3, size, size)."""
        maps, found = self.stem(images), []
        for stage in self.stages():
            maps = stage(maps)
            found.append(maps)
        return found


@dataclass(frozen=True, eq=False)
class RepVitOutput:
    """What transformers' vision encoder reads of a backbone: the stages' maps."""

    last_hidden_state: list[Tensor]
    hidden_states: None = None


class RepVit(PreTrainedModel):  # type: ignore[misc]  # transformers has no types
    """A RepViT in the place of transformers' wrapper of timm, with its tensors' names.

    Parameters
    ----------
    config
        Its sizes.
    """

    config_class = RepVitConfig
    base_model_prefix = "timm_model"
    main_input_name = "pixel_values"

    def __init__(self, config: RepVitConfig) -> None:
        super().__init__(config)
        self.timm_model = Stages(config.widths or [], config.depths or [])
        self.post_init()

    def forward(self, pixel_values: Tensor, **_: object) -> RepVitOutput:
        """Encode normalised images (n, 3, size, size)."""
        return RepVitOutput(self.timm_model(pixel_values))


def register() -> None:
    """Let transformers build it where a configuration holds a `RepVitConfig`."""
    AutoModel.register(RepVitConfig, RepVit, exist_ok=True)
