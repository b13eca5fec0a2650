"""The recipe of ``micro`` version 2 (decision 24)."""

from __future__ import annotations

from dataclasses import replace

from training.architecture import Architecture
from training.recipe import Recipe, Stage

# A pass is followed from its outline, and what it loses is to be found again; most targets change
# as much between outlines as whole structures do.
_FOLLOWED = Stage(
    "stacks",
    600,
    size=256,
    stacks=6,
    lr=2e-4,
    lr_end=1.1e-4,
    lengths=(8, 44),
    largest=128,
    covered=(0.6, 1.0),
    joined=0.6,
    careless=0.2,
    own=0.5,
    lead=True,
)
# Three outlines most often, in stacks of fewer slices, and bone that hardly differs from muscle.
_FAINT = replace(
    _FOLLOWED,
    steps=300,
    lr=1.1e-4,
    lr_end=9e-5,
    lengths=(8, 36),
    outlines=(1, 2, 3, 3, 3, 3, 5, 5, 7, 9, 9),
    covered=(0.8, 1.0),
    joined=0.65,
    faint=0.35,
)

RECIPE = Recipe(
    stages=(
        Stage("slices", 100, stacks=8, tracked=3, lr=5e-4, lr_end=5e-4, fixed_crop=0.7),
        # To read a memory is learned first, from the nearest outline alone, on slices close to
        # it and in windows whose middle says little; then to choose among some, then among all.
        # Outlined slices are tracked all the while: with their own memory among others, to give
        # back the mask is to choose.
        Stage(
            "stacks",
            400,
            stacks=8,
            tracked=4,
            lr=5e-4,
            lr_end=3e-4,
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
            stacks=8,
            tracked=4,
            lr=3e-4,
            lr_end=2.5e-4,
            fixed_crop=0.5,
            careless=0.1,
            own=1.0,
            policies="few",
        ),
        Stage(
            "stacks",
            400,
            stacks=8,
            tracked=4,
            lr=2.5e-4,
            lr_end=2.5e-4,
            fixed_crop=0.4,
            careless=0.1,
            own=1.0,
        ),
        Stage(
            "stacks",
            700,
            size=192,
            stacks=6,
            lr=2.5e-4,
            lr_end=2e-4,
            largest=112,
            careless=0.2,
            own=0.5,
        ),
        Stage(
            "stacks",
            100,
            size=256,
            stacks=6,
            lr=2e-4,
            lr_end=2e-4,
            largest=128,
            careless=0.2,
            own=0.5,
        ),
        _FOLLOWED,
        _FAINT,
        replace(_FAINT, steps=700, lr=9e-5, lr_end=2e-6, dim=0.25),
        # Once more with a higher rate; it moved little (the model card says how much).
        replace(_FAINT, steps=320, lr=7e-5, lr_end=2e-6, dim=0.35),
    ),
    architecture=Architecture(memory_layers=4, best_of_three=False),
    ema=0.995,
)
