"""What a family of models has to say and to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.model.base import SliceModel
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint before anybody knows what it is.

    Parameters
    ----------
    path
        A folder as transformers writes it, or a ``.pt`` file.
    sha256
        Checksum of the file with the weights.
    config
        The contents of a folder's ``config.json``; empty for a file.
    tensors
        The tensors of a file by name; empty for a folder, whose weights are not read yet.
    """

    path: Path
    sha256: str
    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @property
    def described(self) -> str:
        """What it is called in messages."""
        return f"the file {self.path.name}" if self.tensors else "the folder's config.json"

    @property
    def received(self) -> str:
        """What it seems to hold, for messages."""
        if self.tensors:
            return f"tensors such as {next(iter(self.tensors))}"
        return f"model_type {self.config.get('model_type')}"


@dataclass(frozen=True)
class LoadRequest:
    """How a checkpoint is to be loaded.

    Parameters
    ----------
    input_size
        Side of the square input in pixels; None takes the checkpoint's own.
    device
        Where it runs.
    shortcuts
        Where it may compute less than the reference.
    """

    input_size: int | None
    device: torch.device
    shortcuts: Shortcuts


class ModelFamily(ABC):
    """A kind of network with SAM 2's memory. Its members are frozen dataclasses without fields."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def spec(self) -> ModelSpec:
        """Sizes and memory of the family's published checkpoints."""

    @property
    @abstractmethod
    def accepted(self) -> str:
        """Which checkpoints are its own, for messages."""

    @abstractmethod
    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Tell whether a checkpoint is of this family, from its configuration or tensor names."""

    @abstractmethod
    def load(self, checkpoint: Checkpoint, request: LoadRequest) -> SliceModel:
        """Build the frozen model.

        Raises
        ------
        WeightsError
            If the checkpoint is damaged, or a tensor is missing, unused or of another shape.
        OptionError
            If the input size cannot be had.
        """


def memory_of(config: Any) -> MemorySpec:
    """Return what a video model's configuration says that its memory has room for."""
    recent = int(config.num_maskmem) - 1
    limit = int(config.max_cond_frame_num)
    return MemorySpec(
        recent_embeddings=recent,
        prompt_embedding=recent,
        max_pointers=int(config.max_object_pointers_in_encoder),
        max_prompts=None if limit < 0 else limit,
    )
