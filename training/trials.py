"""Short runs, each of which asks one question: ``python -m training.train --trial NAME``.

All but the first differ from `base` in one thing. What each asks, what it costs and which number
decides stands in ``docs/decisions/0024-micro-2.md``. When version 2 is made, what won is written
into `default_recipe` and this file goes.
"""

from __future__ import annotations

from dataclasses import replace

from training.architecture import VERSION_1, Architecture
from training.recipe import Recipe, Stage

ARCHITECTURES = {
    "version-1": VERSION_1,
    "memory-4": Architecture(memory_layers=4),
    "wide": Architecture(width=44, memory_layers=4),
    "deep": Architecture(width=40, blocks=(1, 2, 9, 2), memory_layers=4),
}
"""Sizes to choose among; all below 32 MB."""

SIZE = 192
"""Pixels of a trial: nine sixteenths of the tokens of 256, so that an hour says much."""

_BASE = Recipe(
    stages=(
        Stage("slices", 250, size=128, stacks=8, tracked=3, lr=5e-4, lr_end=5e-4, largest=96),
        Stage("stacks", 1200, size=128, stacks=6, tracked=5, lr=5e-4, lr_end=4e-4, largest=96),
        Stage("stacks", 700, size=SIZE, stacks=4, tracked=5, lr=4e-4, lr_end=4e-6, largest=112),
    ),
    ema=0.99,
)


def _stages(recipe: Recipe, **changes: object) -> Recipe:
    """Return a recipe whose tracking stages differ."""
    stages = tuple(
        replace(stage, **changes) if stage.kind == "stacks" else stage  # type: ignore[arg-type]
        for stage in recipe.stages
    )
    return replace(recipe, stages=stages)


TRIALS: dict[str, Recipe] = {
    "base": _BASE,
    "few-outlines": _stages(_BASE, outlines=(1, 2, 3), lengths=(7, 9)),
    "few-memories": replace(_BASE, policies="few"),
    "no-own": replace(_BASE, own=0.0),
    "no-edges": replace(_BASE, edge_weight=0.0),
    "one-mask": replace(_BASE, architecture=Architecture(best_of_three=False)),
    "cap-2": replace(_BASE, architecture=Architecture(most_outlines=2)),
    "memory-4": replace(_BASE, architecture=ARCHITECTURES["memory-4"]),
    "wide": replace(_BASE, architecture=ARCHITECTURES["wide"]),
    "deep": replace(_BASE, architecture=ARCHITECTURES["deep"]),
    "careful": replace(_BASE, careless=0.0),
    "tokens": replace(
        _BASE,
        stages=(
            *_BASE.stages[:2],
            Stage("stacks", 195, size=384, stacks=4, tracked=5, lr=4e-4, lr_end=4e-6, largest=160),
        ),
    ),
}
