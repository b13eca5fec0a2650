"""The state of a run: saved whole or not at all, so that a kill at any moment loses little."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Sam2VideoModel


@dataclass
class History:
    """What a run has seen: one entry a logged step, one a validation."""

    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    validations: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0


class Average:
    """Exponential moving average of a model's weights: what is validated and exported."""

    def __init__(self, model: Sam2VideoModel, decay: float) -> None:
        self.decay = decay
        self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: Sam2VideoModel, step: int) -> None:
        """Take in the weights after ``step``; early on the average forgets faster."""
        decay = min(self.decay, (1 + step) / (10 + step))
        current = model.state_dict()
        names = [k for k, v in self.weights.items() if v.is_floating_point()]
        torch._foreach_lerp_(
            [self.weights[k] for k in names], [current[k] for k in names], 1 - decay
        )


def save(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` beside ``path``, then rename: ``path`` is never half a file."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a state written by `save`; only tensors and plain values are accepted."""
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state


def weights_of(state: dict[str, Any]) -> dict[str, Tensor]:
    """Return the averaged weights of a saved state."""
    average: dict[str, Tensor] = state["average"]
    return average
