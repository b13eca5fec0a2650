"""The recipe of ``micro`` version 2, to be settled by the trials of decision 24.

Version 1, which the package still holds, was made by an earlier one; its model card names it.
"""

from __future__ import annotations

from training.recipe import Recipe, Stage

RECIPE = Recipe(
    stages=(
        Stage("slices", 400, stacks=8, tracked=3, lr=5e-4, lr_end=4e-4),
        Stage("stacks", 2600, stacks=8, tracked=5, lr=5e-4, lr_end=4e-4),
        Stage("stacks", 2000, size=256, stacks=4, tracked=5, lr=3e-4, lr_end=2e-4, largest=128),
        Stage("stacks", 2500, size=384, stacks=4, tracked=6, lr=2e-4, lr_end=2e-6, largest=160),
    ),
)
