"""SAM 2 and 2.1, and checkpoints fine-tuned from them.

transformers' ``Sam2VideoModel``, from a folder as transformers writes it or from an official
``.pt`` file. Every tensor must be used and none may be missing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch

from voxtrail.core.memory_spec import SAM2_MEMORY, MemorySpec
from voxtrail.errors import WeightsError
from voxtrail.model import checkpoint_checks, official
from voxtrail.model.families.base import Checkpoint, LoadRequest, ModelFamily
from voxtrail.model.sam2 import Sam2SliceModel
from voxtrail.model.spec import ModelSpec

#: At most so many tensors are named in a message.
NAMED_TENSORS = 4
#: Mean and standard deviation of the three colour channels of ImageNet, 0 to 1.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
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

    def load(self, checkpoint: Checkpoint, request: LoadRequest) -> Sam2SliceModel:
        """Build the frozen model; see `ModelFamily.load`."""
        if checkpoint.tensors:
            config = official.config_of(checkpoint.tensors, checkpoint.path.name)
        else:
            config = _config_of(checkpoint.path)
        size = int(config.image_size) if request.input_size is None else request.input_size
        self.spec.check_input(size)
        config = config_at(config, size, self.spec)
        if checkpoint.tensors:
            state = official.convert(checkpoint.tensors)
            network = build_network(config, checkpoint.path.name, state=state)
        else:
            checkpoint_checks.check_network(config, checkpoint.path / "model.safetensors")
            network = build_network(config, str(checkpoint.path), folder=checkpoint.path)
        spec = replace(self.spec, memory=memory_of(config))
        network = network.to(request.device)
        return Sam2SliceModel(network, spec, checkpoint.sha256, request.shortcuts)


def memory_of(config: Any) -> MemorySpec:
    """Return what a ``Sam2VideoConfig`` says that the memory has room for."""
    recent = int(config.num_maskmem) - 1
    limit = int(config.max_cond_frame_num)
    return MemorySpec(
        recent_embeddings=recent,
        prompt_embedding=recent,
        max_pointers=int(config.max_object_pointers_in_encoder),
        max_prompts=None if limit < 0 else limit,
    )


def _config_of(folder: Path) -> Any:
    from transformers import Sam2VideoConfig

    try:
        with _hushed_transformers():
            return Sam2VideoConfig.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        # whatever the configuration classes raise on contents that are not theirs
        raise WeightsError(
            "the folder's config.json is not SAM 2's",
            received=str(error),
            accepted="the configuration of a Sam2VideoModel",
            remedy="pass a SAM 2 checkpoint",
        ) from error


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


def build_network(
    config: Any,
    source: str,
    folder: Path | None = None,
    state: dict[str, torch.Tensor] | None = None,
) -> Any:
    """Build the network and check that every tensor was used and none is missing."""
    from transformers import Sam2VideoModel

    with _hushed_transformers():
        try:
            network, report = Sam2VideoModel.from_pretrained(
                folder,
                config=config,
                state_dict=state,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # reported below, by name
                output_loading_info=True,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(
                f"the weights of {source} cannot be read",
                received=(str(error).splitlines() or ["nothing"])[0],
                accepted="a whole safetensors file",
                remedy="download it again",
            ) from error
        except Exception as error:
            # safetensors' own exception derives from Exception only
            if type(error).__name__ != "SafetensorError":
                raise
            raise WeightsError(
                f"the weights of {source} cannot be read",
                received=str(error),
                accepted="a whole safetensors file",
                remedy="download it again",
            ) from error
    wrong = {
        "missing": sorted(report["missing_keys"]),
        "unused": sorted(report["unexpected_keys"]),
        "of another shape": sorted(str(item[0]) for item in report["mismatched_keys"]),
    }
    if any(wrong.values()):
        raise WeightsError(
            f"the checkpoint {source} does not fit",
            received="; ".join(
                f"{len(names)} {kind}: {', '.join(names[:NAMED_TENSORS])}"
                + (", ..." if len(names) > NAMED_TENSORS else "")
                for kind, names in wrong.items()
                if names
            ),
            accepted="exactly the tensors of its configuration",
            remedy="pass a whole SAM 2 checkpoint",
        )
    return network


@contextmanager
def _hushed_transformers() -> Iterator[None]:
    """Keep transformers' bars and reports off the terminal: what they say is checked here."""
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
