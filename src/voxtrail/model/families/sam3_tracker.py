"""SAM 3's tracker: the part of SAM 3 that carries a mask through a video.

transformers' ``Sam3TrackerVideoModel``, from its own folder or from that of the whole SAM 3, whose
detector is left out but for the image encoder that both share.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.errors import OptionError, WeightsError
from voxtrail.model import checkpoint_checks
from voxtrail.model.encoders.vit import VitEncoder
from voxtrail.model.families.base import Checkpoint, LoadRequest, ModelFamily, memory_of
from voxtrail.model.linear import number_type
from voxtrail.model.memory_layout import grid_layout
from voxtrail.model.network import build_network, read_config
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.spec import ModelSpec
from voxtrail.model.torch_model import TorchSliceModel

#: By which transformers' configurations say what they are of: the tracker's own, and that of the
#: whole SAM 3, as it is published.
MODEL_TYPE = "sam3_tracker_video"
WHOLE_MODEL_TYPE = "sam3_video"
#: How the tensors of the authors' own file begin.
OFFICIAL_PREFIX = "tracker."
#: Mean and standard deviation of each colour channel, 0 to 1.
MEAN = STD = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Sam3TrackerFamily(ModelFamily):
    """The tracker of SAM 3, published and fine-tuned."""

    name: ClassVar[str] = "sam3-tracker"

    @property
    def spec(self) -> ModelSpec:
        """Sizes and memory: patches of 14 pixels, at most four prompted slices."""
        return ModelSpec(
            family=self.name,
            stride=14,
            input_multiple=14,
            smallest_input=112,
            largest_input=2016,
            image_mean=MEAN,
            image_std=STD,
            memory=MemorySpec(max_prompts=4),
        )

    @property
    def accepted(self) -> str:
        """Which checkpoints are SAM 3's."""
        return "a Sam3TrackerVideoModel's or Sam3VideoModel's folder"

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Tell by the configuration; the authors' own file is recognised to be refused."""
        return checkpoint.config.get("model_type") in (MODEL_TYPE, WHOLE_MODEL_TYPE) or any(
            key.startswith(OFFICIAL_PREFIX) for key in checkpoint.tensors
        )

    def load(self, checkpoint: Checkpoint, request: LoadRequest) -> TorchSliceModel:
        """Build the frozen model; see `ModelFamily.load`."""
        from transformers import Sam3TrackerVideoConfig, Sam3TrackerVideoModel

        if checkpoint.tensors:
            raise WeightsError(
                f"{checkpoint.path.name} is SAM 3 in its authors' own layout, which is not read",
                received=checkpoint.received,
                accepted=self.accepted,
                remedy="pass the folder with config.json and model.safetensors, which is published "
                "beside it, or --model sam3-tracker",
            )
        register()
        held = dict(checkpoint.config)
        if held.get("model_type") == WHOLE_MODEL_TYPE:
            held = dict(held.get("tracker_config") or {})
        config = read_config(Sam3TrackerVideoConfig, held, Sam3TrackerVideoModel.__name__)
        size = int(config.image_size) if request.input_size is None else request.input_size
        self.spec.check_input(size)
        config = copy.deepcopy(config)
        config.image_size = size  # brings all that depends on it along
        checkpoint_checks.check_network(Sam3TrackerVideoModel, config, checkpoint.path)
        network = build_network(
            Sam3TrackerVideoModel, config, str(checkpoint.path), folder=checkpoint.path
        )
        spec = replace(self.spec, memory=memory_of(config))
        return sam3_model(network.to(request.device), spec, checkpoint.sha256, request.shortcuts)


def sam3_model(
    network: Any,
    spec: ModelSpec,
    weights_sha256: str | None = None,
    shortcuts: Shortcuts | None = None,
) -> TorchSliceModel:
    """Return the model of a ``Sam3TrackerVideoModel``; see `TorchSliceModel`.

    Raises
    ------
    OptionError
        If coarse memories are asked for at a size with an odd number of positions.
    """
    shortcuts = shortcuts or Shortcuts()
    size = int(network.config.image_size)
    side = spec.positions(size)
    if shortcuts.coarse_memories and side % 2:
        raise OptionError(
            "coarse memories need an even number of positions",
            received=f"{side} positions a side at {size} pixels",
            accepted=f"a resolution that is a multiple of {2 * spec.stride}",
            remedy=f"pass for example --resolution {size + spec.stride}",
        )
    return TorchSliceModel(
        network,
        VitEncoder(network, spec, size, number_type(shortcuts.precision)),
        grid_layout(network, side, coarse=shortcuts.coarse_memories),
        spec,
        weights_sha256,
        shortcuts,
    )


def register() -> None:
    """Let transformers build SAM 3's encoder without torchvision, which it does not use."""
    from transformers import AutoModel
    from transformers.models.sam3.configuration_sam3 import Sam3VisionConfig, Sam3ViTConfig
    from transformers.models.sam3.modeling_sam3 import Sam3VisionModel, Sam3ViTModel

    AutoModel.register(Sam3ViTConfig, Sam3ViTModel, exist_ok=True)
    AutoModel.register(Sam3VisionConfig, Sam3VisionModel, exist_ok=True)
