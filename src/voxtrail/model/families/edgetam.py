"""EdgeTAM: SAM 2 with a small convolutional encoder and memories of 512 tokens.

transformers' ``EdgeTamVideoModel``, from a folder as transformers writes it or from the authors'
``.pt`` file. Its backbone is voxtrail's own holder of RepViT's weights; timm is not needed.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from voxtrail.core.memory_spec import SAM2_MEMORY
from voxtrail.errors import OptionError
from voxtrail.model import checkpoint_checks, official, official_edgetam
from voxtrail.model.encoders.repvit import RepVitEncoder
from voxtrail.model.families.base import Checkpoint, LoadRequest, ModelFamily, memory_of
from voxtrail.model.linear import number_type
from voxtrail.model.maps import sine_map
from voxtrail.model.memory_layout import MemoryLayout, grid
from voxtrail.model.network import build_network, read_config
from voxtrail.model.perceiver import Perceiver
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.spec import IMAGENET_MEAN, IMAGENET_STD, ModelSpec
from voxtrail.model.torch_model import TorchSliceModel

#: By which transformers' configurations say what they are of. That of its image model is the same
#: checkpoint's without the memory, whose tensors are then missing.
MODEL_TYPES = ("edgetam_video", "edgetam")


@dataclass(frozen=True)
class EdgeTamFamily(ModelFamily):
    """EdgeTAM, published and fine-tuned."""

    name: ClassVar[str] = "edgetam"

    @property
    def spec(self) -> ModelSpec:
        """Sizes and memory: the perceiver cuts the embedding into 16 x 16 windows."""
        return ModelSpec(
            family=self.name,
            stride=16,
            input_multiple=256,
            smallest_input=256,
            largest_input=2048,
            image_mean=IMAGENET_MEAN,
            image_std=IMAGENET_STD,
            memory=SAM2_MEMORY,
        )

    @property
    def accepted(self) -> str:
        """Which checkpoints are EdgeTAM's."""
        return "an EdgeTamVideoModel's folder, or a .pt file in EdgeTAM's official layout"

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Tell by the configuration, or by the perceiver's tensors."""
        return checkpoint.config.get("model_type") in MODEL_TYPES or official_edgetam.is_official(
            checkpoint.tensors
        )

    def load(self, checkpoint: Checkpoint, request: LoadRequest) -> TorchSliceModel:
        """Build the frozen model; see `ModelFamily.load`."""
        from transformers import EdgeTamVideoConfig, EdgeTamVideoModel

        from voxtrail.model import repvit

        repvit.register()
        if checkpoint.tensors:
            held = {
                "vision_config": {"backbone_config": {"architecture": "repvit_m1"}},
                **official.options_of(checkpoint.tensors),
            }
        else:
            held = dict(checkpoint.config)
        config = read_config(EdgeTamVideoConfig, without_timm(held), EdgeTamVideoModel.__name__)
        size = int(config.image_size) if request.input_size is None else request.input_size
        self.spec.check_input(size)
        config = config_at(config, size, self.spec)
        if checkpoint.tensors:
            state = official_edgetam.convert(checkpoint.tensors)
            network = build_network(EdgeTamVideoModel, config, checkpoint.path.name, state=state)
        else:
            checkpoint_checks.check_network(EdgeTamVideoModel, config, checkpoint.path)
            network = build_network(
                EdgeTamVideoModel, config, str(checkpoint.path), folder=checkpoint.path
            )
        spec = replace(self.spec, memory=memory_of(config))
        return edgetam_model(network.to(request.device), spec, checkpoint.sha256, request.shortcuts)


def edgetam_model(
    network: Any,
    spec: ModelSpec,
    weights_sha256: str | None = None,
    shortcuts: Shortcuts | None = None,
) -> TorchSliceModel:
    """Return the model of an ``EdgeTamVideoModel``; see `TorchSliceModel` for the parameters."""
    shortcuts = shortcuts or Shortcuts()
    if shortcuts.coarse_memories:
        raise OptionError(
            "EdgeTAM's memories cannot be made coarser: a perceiver makes 512 tokens of each",
            received="coarse memories",
            accepted="memories as they are",
            remedy="leave coarse memories out",
        )
    size = int(network.config.image_size)
    return TorchSliceModel(
        network,
        RepVitEncoder(network, spec, size, number_type(shortcuts.precision)),
        perceiver_layout(network, spec.positions(size)),
        spec,
        weights_sha256,
        shortcuts,
    )


def perceiver_layout(network: Any, side: int) -> MemoryLayout:
    """Return the layout of EdgeTAM: tokens without a place, then those of a coarse grid.

    The grid's places are 0 to 15 whatever the size of the image embedding, as in the reference.
    """
    config = network.config
    position = sine_map(
        network.memory_encoder.position_encoding,
        int(config.memory_encoder_output_channels),
        side,
        network.no_memory_embedding.device,
    )
    with torch.no_grad():
        _, of_tokens = network.spatial_perceiver(torch.zeros_like(position), position)
    placed = grid(int(config.memory_attention_rope_k_sizes[0]))
    without_place = placed.new_zeros(int(config.perceiver_resampler_num_latents), 2)
    return MemoryLayout(Perceiver(network, position), of_tokens, torch.cat([without_place, placed]))


def config_at(config: Any, size: int, spec: ModelSpec) -> Any:
    """Return a copy of an ``EdgeTamVideoConfig`` for another input size; weights are the same."""
    config = copy.deepcopy(config)
    side = spec.positions(size)
    config.image_size = size
    config.vision_config.backbone_feature_sizes = [[n * side, n * side] for n in (4, 2, 1)]
    config.prompt_encoder_config.image_size = size
    config.memory_attention_rope_feat_sizes = [side, side]
    return config


def without_timm(held: dict[str, Any]) -> dict[str, Any]:
    """Put voxtrail's own backbone in the place of timm's into what a configuration holds."""
    from transformers.models.edgetam.configuration_edgetam import EdgeTamVisionConfig

    from voxtrail.model.repvit import config_of_timm

    vision = dict(held.get("vision_config") or {})
    backbone = config_of_timm(vision.pop("backbone_config", None) or {})
    vision.pop("model_type", None)
    return {**held, "vision_config": EdgeTamVisionConfig(**vision, backbone_config=backbone)}
