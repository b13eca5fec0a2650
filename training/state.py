"""The state of a run: saved whole or not at all, so that a kill at any moment loses little."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Sam2VideoModel

from training.architecture import micro_config
from training.recipe import Recipe


@dataclass
class Sitting:
    """A stretch of a run between two kills.

    Parameters
    ----------
    first, last
        Steps done at its beginning and at its last save.
    seconds
        Spent on them, validation included.
    command
        As it was typed.
    commit
        Of the repository; with a plus sign where files differed from it.
    hardware
        Processor or GPU, processes and threads.
    versions
        Of Python and of the libraries that compute.
    recipe
        As JSON.
    """

    first: int
    last: int
    seconds: float
    command: str
    commit: str
    hardware: str
    versions: str
    recipe: str


@dataclass
class History:
    """What a run has seen: every step's loss, every validation, every sitting."""

    losses: list[float] = field(default_factory=list)
    validations: list[dict[str, float]] = field(default_factory=list)
    sittings: list[Sitting] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Of all sittings."""
        return sum(one.seconds for one in self.sittings)

    @staticmethod
    def from_json(values: dict[str, Any]) -> History:
        """Return the history that `dataclasses.asdict` made plain values of."""
        sittings = [Sitting(**one) for one in values["sittings"]]
        return History(list(values["losses"]), list(values["validations"]), sittings)


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


def recipe_of(state: dict[str, Any]) -> Recipe:
    """Return the recipe of a saved state."""
    return Recipe.from_json(json.loads(state["recipe"]))


def averaged(state: dict[str, Any]) -> Sam2VideoModel:
    """Return the model of a saved state with its averaged weights, at its last stage's size."""
    recipe = recipe_of(state)
    size = recipe.at(max(int(state["step"]) - 1, 0))[0].size
    model = Sam2VideoModel(micro_config(recipe.architecture, size))
    model.load_state_dict(weights_of(state))
    return model.eval()
