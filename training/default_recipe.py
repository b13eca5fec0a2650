"""The recipe of ``micro`` version 2 (decisions 24 and 26).

Version 1, which the package still holds, was made by an earlier one; its model card names it.
"""

from __future__ import annotations

from training.architecture import Architecture
from training.recipe import Recipe, Stage

RECIPE = Recipe(
    stages=(
        Stage("slices", 100, stacks=8, tracked=3, lr=5e-4, lr_end=5e-4, fixed_crop=0.7),
        # To read a memory is learned first, from the nearest outline alone, on slices close to
        # it and in windows whose middle says little; then to choose among some, then among all.
        Stage(
            "stacks",
            500,
            stacks=8,
            tracked=4,
            lr=5e-4,
            lr_end=5e-4,
            lengths=(24, 32),
            outlines=(5, 7, 9),
            fixed_crop=0.7,
            careless=0.0,
            clicks=0.1,
            own=1.0,
            policies="nearest",
        ),
        Stage(
            "stacks",
            300,
            size=192,
            stacks=6,
            lr=5e-4,
            lr_end=5e-4,
            largest=112,
            fixed_crop=0.5,
            careless=0.1,
            own=0.5,
            policies="few",
        ),
        Stage("stacks", 700, size=192, stacks=6, lr=5e-4, lr_end=5e-4, largest=112),
        Stage("stacks", 1000, size=256, stacks=6, lr=5e-4, lr_end=3e-4, largest=128),
        Stage("stacks", 500, size=384, stacks=4, lr=3e-4, lr_end=3e-6, largest=160),
    ),
    architecture=Architecture(memory_layers=4),
    ema=0.995,
)
