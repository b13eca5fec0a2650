"""SAM 2 and 2.1, and checkpoints fine-tuned from them.

transformers' ``Sam2VideoModel``, from a folder as transformers writes it or from an official
``.pt`` file.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from voxtrail.core.memory_spec import SAM2_MEMORY
from voxtrail.model import checkpoint_checks, official
from voxtrail.model.encoders.hiera import HieraEncoder
from voxtrail.model.families.base import Checkpoint, LoadRequest, ModelFamily, memory_of
from voxtrail.model.linear import number_type
from voxtrail.model.memory_layout import grid_layout
from voxtrail.model.network import build_network, read_config
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.spec import IMAGENET_MEAN, IMAGENET_STD, ModelSpec
from voxtrail.model.torch_model import TorchSliceModel

#: By which transformers' configurations say what they are of.
MODEL_TYPE = "sam2_video"


@dataclass(frozen=True)
class Sam2Family(ModelFamily):
    """SAM 2 and 2.1 in all sizes, published and fine-tuned."""

    name: ClassVar[str] = "sam2"

    @property
    def spec(self) -> ModelSpec:
        """Sizes and memory of SAM 2: the encoder's last stage has a stride of 32."""
        return ModelSpec(
            family=self.name,
            stride=16,
            input_multiple=32,
            smallest_input=64,
            largest_input=2048,
            image_mean=IMAGENET_MEAN,
            image_std=IMAGENET_STD,
            memory=SAM2_MEMORY,
        )

    @property
    def accepted(self) -> str:
        """Which checkpoints are SAM 2's."""
        return "a Sam2VideoModel's folder, or a .pt file in SAM 2's official layout"

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Tell whether a folder is a ``Sam2VideoModel``'s, or a file in the official layout."""
        return checkpoint.config.get("model_type") == MODEL_TYPE or official.is_official(
            checkpoint.tensors
        )

    def load(self, checkpoint: Checkpoint, request: LoadRequest) -> TorchSliceModel:
        """Build the frozen model; see `ModelFamily.load`."""
        from transformers import Sam2VideoConfig, Sam2VideoModel

        if checkpoint.tensors:
            config = official.config_of(checkpoint.tensors, checkpoint.path.name)
        else:
            config = read_config(Sam2VideoConfig, dict(checkpoint.config), Sam2VideoModel.__name__)
        size = int(config.image_size) if request.input_size is None else request.input_size
        self.spec.check_input(size)
        config = config_at(config, size, self.spec)
        if checkpoint.tensors:
            state = official.convert(checkpoint.tensors)
            network = build_network(Sam2VideoModel, config, checkpoint.path.name, state=state)
        else:
            checkpoint_checks.check_network(Sam2VideoModel, config, checkpoint.path)
            network = build_network(
                Sam2VideoModel, config, str(checkpoint.path), folder=checkpoint.path
            )
        spec = replace(self.spec, memory=memory_of(config))
        return sam2_model(network.to(request.device), spec, checkpoint.sha256, request.shortcuts)


def sam2_model(
    network: Any,
    spec: ModelSpec,
    weights_sha256: str | None = None,
    shortcuts: Shortcuts | None = None,
) -> TorchSliceModel:
    """Return the model of a ``Sam2VideoModel``; see `TorchSliceModel` for the parameters."""
    shortcuts = shortcuts or Shortcuts()
    size = int(network.config.image_size)
    return TorchSliceModel(
        network,
        HieraEncoder(network, spec, size, number_type(shortcuts.precision)),
        grid_layout(network, spec.positions(size), coarse=shortcuts.coarse_memories),
        spec,
        weights_sha256,
        shortcuts,
    )


def config_at(config: Any, size: int, spec: ModelSpec) -> Any:
    """Return a copy of a ``Sam2VideoConfig`` for another input size.

    Weights are the same at every size: position embeddings are interpolated, rotary tables and
    feature sizes follow.
    """
    config = copy.deepcopy(config)
    side = spec.positions(size)
    config.image_size = size
    config.vision_config.backbone_feature_sizes = [[n * side, n * side] for n in (4, 2, 1)]
    config.vision_config.backbone_config.image_size = [size, size]
    config.prompt_encoder_config.image_size = size
    config.memory_attention_rope_feat_sizes = [side, side]
    return config
