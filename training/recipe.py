"""The recipe: which stages the training passes through, and what each step sees and is asked.

Tasks are those of a run: stacks of 8 to 44 slices, one to nine outlines, some consecutive slices
between or beyond them to be tracked, each attending to what one of the package's memory policies
chooses. Only the slices of a task are made, so a long stack costs no more than a short one.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from training.architecture import VERSION_1, Architecture
from training.scenes.arrange import SceneKind
from training.scenes.stack import StackSettings
from voxtrail.memory import MemoryPolicy, parse_policy

PromptKind = Literal["mask", "box", "clicks"]
PolicyKind = Literal["nearest", "few", "all"]


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
    stacks
        In a batch.
    tracked
        Slices of each stack that are tracked; of kind "slices", those that are segmented.
    lr, lr_end
        Learning rate at the start (after a warm-up) and, by a cosine, at the end.
    lengths
        Fewest and most slices of a stack.
    outlines
        Numbers of outlines, drawn evenly; one that a stack is too short for becomes fewer.
    largest
        Most voxels along a window's side.
    covered
        Least and most share of a target that a stack covers; at run time it is all of it.
    joined
        Probability that targets are solids of unlike kinds joined into one (`kinds.joined`).
    faint, dim
        Probabilities that targets of bone show by their rim alone, and that they hardly show
        (`training.scenes.materials`).
    fixed_crop
        Probability of the paper's crop in place of one that follows. In a window that fits, to
        guess at what lies in its middle is nearly as good as to read a memory, and sooner learned.
    careless
        Probability that a stack's outlines are drawn carelessly.
    clicks
        Probability that a box or clicks stand in place of the first outline; half as often clicks
        correct a tracked slice.
    own
        Probability that an outlined slice is tracked, too, with its own memory among the others: to
        give back its mask is to find the memory that is most alike.
    lead
        Whether tracking begins at the outline before the slices that are learned from, as a run's
        does: those between are tracked without a gradient, and what they leave is remembered.
        Otherwise nothing lies between that outline and them.
    policies
        What of the memory policies is drawn: "nearest": the nearest outline alone, from which
        reading a memory is learned first; "few": one or two outlines and few recent slices, as
        version 1 had them; "all": the package's kinds.
    """

    kind: Literal["slices", "stacks"]
    steps: int
    size: int = 128
    stacks: int = 8
    tracked: int = 5
    lr: float = 3e-4
    lr_end: float = 3e-4
    lengths: tuple[int, int] = (8, 32)
    outlines: tuple[int, ...] = (1, 2, 3, 3, 5, 5, 7, 9, 9)
    largest: int = 96
    covered: tuple[float, float] = (0.25, 1.0)
    joined: float = 0.0
    faint: float = 0.0
    dim: float = 0.0
    fixed_crop: float = 0.25
    careless: float = 0.3
    clicks: float = 0.2
    own: float = 0.25
    lead: bool = False
    policies: PolicyKind = "all"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run makes.

    Parameters
    ----------
    stages
        In their order.
    architecture
        Of the model.
    seed
        Of weights, scenes and tasks.
    warmup
        Steps over which the learning rate rises.
    weight_decay, clip, ema
        Of the optimiser, of the gradient's norm, of the average of weights.
    edge_weight
        Of the loss of edges; see `training.losses`.
    """

    stages: tuple[Stage, ...]
    architecture: Architecture = VERSION_1
    seed: int = 0
    warmup: int = 100
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.998
    edge_weight: float = 0.5

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
    def from_json(values: dict[str, Any]) -> Recipe:
        """Return the recipe that `to_json` made plain values of."""
        stages = tuple(Stage(**_tuples(one)) for one in values["stages"])
        architecture = Architecture(**_tuples(values.get("architecture", {})))
        rest = {k: v for k, v in values.items() if k not in ("stages", "architecture")}
        return Recipe(stages=stages, architecture=architecture, **rest)

    @staticmethod
    def read(path: Path) -> Recipe:
        """Read a recipe written by hand or from `to_json`."""
        return Recipe.from_json(json.loads(path.read_text()))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with lists as tuples, which JSON does not know."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


@dataclass(frozen=True)
class StepPlan:
    """The random choices of one step, drawn before any tensor is.

    Parameters
    ----------
    stage
        That the step belongs to.
    stacks
        What is made.
    seed
        Of what is made.
    tracked
        Slices that are tracked and learned from, ascending.
    lead
        Slices that are tracked before them, ascending; see `Stage`.
    own
        An outlined slice that is tracked as if it were not; None for none.
    first
        What the first prompt is; the others are masks.
    policy
        Which memories tracked slices attend to.
    clicked
        Slices, tracked ones or the first prompted one, that are corrected with clicks, and with
        how many, one after the other.
    extra
        For choices that depend on what was predicted.
    """

    stage: Stage
    stacks: StackSettings
    seed: int
    tracked: tuple[int, ...]
    lead: tuple[int, ...]
    own: int | None
    first: PromptKind
    policy: MemoryPolicy
    clicked: dict[int, int]
    extra: random.Random = field(compare=False, repr=False, default_factory=random.Random)

    @property
    def outlined(self) -> tuple[int, ...]:
        """Slices with a prompt, ascending."""
        return self.stacks.outlined


def plan_step(recipe: Recipe, step: int) -> StepPlan:
    """Draw the plan of ``step``; a pure function of recipe and step."""
    stage, _ = recipe.at(step)
    rng = random.Random(f"{recipe.seed}/{step}")
    lead: tuple[int, ...] = ()
    if stage.kind == "slices":
        slices = rng.randint(*stage.lengths)
        start = rng.randint(0, slices - stage.tracked)
        outlined = tracked = tuple(range(start, start + stage.tracked))
        visited = outlined
    else:
        slices, outlined, tracked = draw_task(rng, stage)
        if stage.lead:
            before = max((at for at in outlined if at < tracked[0]), default=tracked[0] - 1)
            lead = tuple(range(before + 1, tracked[0]))
        visited = tuple(sorted({*outlined, *lead, *tracked}))
    kind = SceneKind()
    if stage.joined and rng.random() < stage.joined:
        kind = SceneKind(target="joined")
    if stage.faint and rng.random() < stage.faint:
        kind = replace(kind, bone="faint")
    if stage.dim and rng.random() < stage.dim:
        kind = replace(kind, bone="dim")
    alone = len(outlined) == 1
    first: PromptKind = "mask"
    if stage.kind == "slices":
        first = rng.choices(("mask", "box", "clicks"), (0.5, 0.3, 0.2))[0]
    elif rng.random() < stage.clicks:
        first = rng.choice(("box", "clicks"))
    clicked: dict[int, int] = {}
    if first != "mask" and rng.random() < 0.5:
        clicked[outlined[0]] = rng.randint(1, 3)
    if stage.kind == "stacks" and rng.random() < stage.clicks / 2:
        clicked[rng.choice(tracked)] = rng.randint(1, 2)
    own = None
    if stage.kind == "stacks" and rng.random() < stage.own:
        own = rng.choice(outlined)
    return StepPlan(
        stage=stage,
        stacks=StackSettings(
            stacks=stage.stacks,
            slices=slices,
            outlined=outlined,
            visited=visited,
            size=stage.size,
            largest=stage.largest,
            covered=stage.covered,
            overrun=0.4 if alone and rng.random() < 0.5 else 0.0,
            careless=stage.careless,
            fixed_crop=stage.fixed_crop,
            kind=kind,
        ),
        seed=rng.getrandbits(48),
        tracked=tracked,
        lead=lead,
        own=own,
        first=first,
        policy=draw_policy(rng, stage.policies),
        clicked=clicked,
        extra=rng,
    )


def draw_task(rng: random.Random, stage: Stage) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Return a stack's length, its outlined slices and some consecutive ones to be tracked."""
    slices = rng.randint(*stage.lengths)
    count = min(rng.choice(stage.outlines), (slices + 1) // 2)
    if count == 1:
        outlined: tuple[int, ...] = (0,)
    elif rng.random() < 0.75:  # as people do: evenly, ends included
        outlined = tuple(round(i * (slices - 1) / (count - 1)) for i in range(count))
    else:
        outlined = (0, *sorted(rng.sample(range(1, slices), count - 1)))
    free = [i for i in range(slices) if i not in outlined]
    room = max(len(free) - stage.tracked, 0)
    # A pass begins beside an outline and drifts from there: without a lead, begin so as often as
    # anywhere.
    beside = [i for i, at in enumerate(free[: room + 1]) if at - 1 in outlined and not stage.lead]
    start = rng.choice(beside) if beside and rng.random() < 0.5 else rng.randint(0, room)
    return slices, outlined, tuple(free[start : start + stage.tracked])


def draw_policy(rng: random.Random, kinds: PolicyKind) -> MemoryPolicy:
    """Draw one of the package's memory policies, so that none is a surprise at run time."""
    if kinds == "nearest":
        return parse_policy("closest:n=1", "recent:k=0")
    if kinds == "few":
        prompts = rng.choice(("near:tau=0.3,n=2", "closest:n=2", "near:tau=0.3,n=1"))
        return parse_policy(prompts, rng.choice(("intelligent", "recent:k=0", "recent:k=2")))
    prompts = rng.choices(
        (
            "near:tau=0.3",
            "near:tau=0.3,n=2",
            "all",
            f"near:tau={rng.choice((0.1, 0.2, 0.5))}",
            f"closest:n={rng.randint(1, 4)}",
        ),
        (0.25, 0.25, 0.25, 0.15, 0.1),
    )[0]
    recent = rng.choices(
        (
            "intelligent",
            "recent:k=6",
            f"recent:k={rng.randint(0, 5)}",
            f"stride:r={rng.choice((2, 4))}",
            f"gate:k={rng.randint(1, 6)}",
        ),
        (0.4, 0.25, 0.15, 0.1, 0.1),
    )[0]
    return parse_policy(prompts, recent)
