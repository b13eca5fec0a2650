"""The recipe that made the bundled checkpoint."""

from __future__ import annotations

from training.recipe import Recipe, Stage

RECIPE = Recipe(
    stages=(
        Stage(
            "slices", 500, stacks=18, slices=2, lr=5e-4, lr_end=3e-4, spread=0.2, margin=(0.1, 1.2)
        ),
        Stage("stacks", 120, stacks=12, slices=7, lr=3e-4, lr_end=3e-4, spread=0.2),
        Stage("stacks", 230, stacks=8, slices=7, lr=3e-4, lr_end=3e-4, spread=0.2),
        Stage(
            "stacks",
            250,
            stacks=8,
            slices=7,
            lr=4e-4,
            lr_end=4e-4,
            spread=0.1,
            spread_end=0.6,
            margin=(0.1, 0.8),
        ),
        Stage("stacks", 280, stacks=8, slices=7, lr=4e-4, lr_end=3e-4, spread=0.6, spread_end=0.8),
        Stage(
            "stacks",
            340,
            size=192,
            stacks=4,
            slices=7,
            lr=2.5e-4,
            lr_end=1e-5,
            spread=0.8,
            grids=(40, 48, 56, 64, 80),
        ),
        Stage(
            "stacks",
            290,
            size=192,
            stacks=4,
            slices=7,
            lr=2e-4,
            lr_end=5e-6,
            spread=0.8,
            grids=(40, 48, 56, 64, 80),
        ),
        Stage(
            "stacks",
            1000,
            size=192,
            stacks=8,
            slices=8,
            lr=3e-4,
            lr_end=1.5e-4,
            spread=0.9,
            spread_end=1.0,
            grids=(48, 56, 64, 80, 96),
        ),
        Stage(
            "stacks",
            500,
            size=256,
            stacks=6,
            slices=9,
            lr=1.5e-4,
            lr_end=3e-6,
            grids=(56, 64, 80, 96, 112),
        ),
    ),
    ema=0.995,
)
