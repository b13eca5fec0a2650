"""The recipe: which stages the training passes through, and its settings at each step."""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from training.scenes import SceneSettings
from training.tracking import MemoryPlan

PromptKind = Literal["mask", "box", "points"]


@dataclass(frozen=True)
class Stage:
    """One stage of the training.

    Parameters
    ----------
    kind
        "slices": single slices with spoiled masks, boxes and clicks as prompts.
        "stacks": tracking through stacks.
    steps
        Length in optimiser steps.
    size
        Side of the slices in pixels, a multiple of 32.
    stacks, slices
        Batch: stacks, and slices in each.
    lr, lr_end
        Learning rate at the start (after a warm-up) and, by a cosine, at the end.
    spread, spread_end
        How far apart slices may lie (`SceneSettings.spread`), first and last.
    margin
        Margin around the target (`SceneSettings.margin`). Wide ones force a prompt to be heeded:
        in a tight crop, guessing the central object is nearly as good.
    grids
        Voxels across a rendered slice, drawn for each step.
    """

    kind: Literal["slices", "stacks"]
    steps: int
    size: int = 128
    stacks: int = 12
    slices: int = 7
    lr: float = 3e-4
    lr_end: float = 1e-4
    spread: float = 1.0
    spread_end: float = 1.0
    grids: tuple[int, ...] = (40, 48, 56, 64)
    margin: tuple[float, float] = (0.04, 0.4)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run makes."""

    stages: tuple[Stage, ...]
    seed: int = 0
    warmup: int = 100
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.998

    @property
    def steps(self) -> int:
        """Length of the whole run."""
        return sum(stage.steps for stage in self.stages)

    def at(self, step: int) -> tuple[Stage, float]:
        """Return the stage of ``step`` and how far it is through it, 0..1."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step / stage.steps
            step -= stage.steps
        return self.stages[-1], 1.0

    def lr(self, step: int) -> float:
        """Return the learning rate of ``step``."""
        stage, done = self.at(step)
        cosine = 0.5 * (1 + math.cos(math.pi * done))
        return min(1.0, (step + 1) / self.warmup) * (
            stage.lr_end + (stage.lr - stage.lr_end) * cosine
        )

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain values."""
        return asdict(self)

    @staticmethod
    def read(path: Path) -> Recipe:
        """Read a recipe written by hand or by `to_json`."""
        values = json.loads(path.read_text())
        stages = []
        for written in values.pop("stages"):
            # JSON knows no tuples
            named: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value
                for key, value in written.items()
            }
            stages.append(Stage(**named))
        return Recipe(stages=tuple(stages), **values)


@dataclass(frozen=True)
class StepPlan:
    """The random choices of one step, drawn before any tensor is.

    Parameters
    ----------
    prompted
        Prompted slices of the stacks, ascending, the first always slice 0.
    first
        What the first prompt is; the others are masks.
    memory
        How tracked slices recall.
    multimask
        Decode three candidate masks rather than one.
    """

    stage: Stage
    scenes: SceneSettings
    seed: int
    prompted: tuple[int, ...]
    first: PromptKind
    memory: MemoryPlan
    multimask: bool
    extra: random.Random = field(compare=False, repr=False, default_factory=random.Random)


def plan_step(recipe: Recipe, step: int) -> StepPlan:
    """Draw the plan of ``step``; a pure function of recipe and step."""
    stage, done = recipe.at(step)
    rng = random.Random(f"{recipe.seed}/{step}")
    t = stage.slices
    prompted = _draw_prompts(rng, t)
    scenes = SceneSettings(
        stacks=stage.stacks,
        slices=t,
        grid=rng.choice(stage.grids),
        spread=stage.spread + (stage.spread_end - stage.spread) * done,
        margin=stage.margin,
        required=prompted if stage.kind == "stacks" else tuple(range(t)),
    )
    if len(prompted) == 1 and rng.random() < 0.5:
        scenes = replace(scenes, overrun=0.4)
    kinds: tuple[PromptKind, ...] = ("mask", "box", "points")
    weights = (0.5, 0.3, 0.2) if stage.kind == "slices" else (0.8, 0.12, 0.08)
    return StepPlan(
        stage=stage,
        scenes=scenes,
        seed=rng.getrandbits(48),
        prompted=prompted,
        first=rng.choices(kinds, weights)[0],
        memory=_draw_memory(rng, t),
        multimask=rng.random() < 0.5,
        extra=rng,
    )


def _draw_prompts(rng: random.Random, t: int) -> tuple[int, ...]:
    ends_and_middle = (0, t // 2, t - 1)
    pick = rng.random()
    if pick < 0.5 or t < 4:
        return tuple(sorted(set(ends_and_middle)))
    if pick < 0.65:
        return (0, t - 1)
    if pick < 0.8:
        return (0,)
    return tuple(sorted({0, *rng.sample(range(1, t), rng.choice((1, 2)))}))


def _draw_memory(rng: random.Random, t: int) -> MemoryPlan:
    """Draw a memory plan near one of the study's policies, so that none is a surprise."""
    pick = rng.random()
    if pick < 0.4:
        embeddings: tuple[int, ...] = (0, 5)
    elif pick < 0.75:
        embeddings = tuple(range(6))
    else:
        embeddings = tuple(range(rng.randrange(0, 6)))
    reach = float("inf")
    if rng.random() < 0.5:
        reach = rng.choice((0.1, 0.2, 0.3, 0.3, 0.3, 0.5)) * t
    return MemoryPlan(
        embeddings=embeddings,
        stride=rng.choice((1, 1, 1, 2)),
        reach=reach,
        recalled_pointers_only=rng.random() < 0.3,
        pointer_span=rng.choice((16, 16, t)),
    )
