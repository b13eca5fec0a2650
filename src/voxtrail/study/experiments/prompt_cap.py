"""How many outlines a slice attends to, and from how far."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import OURS
from voxtrail.study.plots import Lines, Series

#: Which slices are outlined, by their number.
BUDGETS = {3: "first-middle-last", 5: "uniform:5", 9: "uniform:9"}
#: What is attended to, by the name of the row: outlines within tau, the nearest n of them, and
#: with or without slices that were tracked.
MEMORIES = {
    "tau 0.3, all": ("near:tau=0.3", "intelligent"),
    **{f"tau 0.3, n {n}": (f"near:tau=0.3,n={n}", "intelligent") for n in (1, 2, 3)},
    "tau 1, all": ("all", "intelligent"),
    "tau 1, n 2": ("near:tau=1,n=2", "intelligent"),
    **{f"tau 0.3, n {n}, outlines only": (f"near:tau=0.3,n={n}", "recent:k=0") for n in (2, 3)},
}
#: What the figure shows.
DRAWN = tuple(name for name in MEMORIES if name != "tau 1, all")

EXPERIMENT = Experiment(
    name="prompt-cap",
    place="ours",
    hypothesis=(
        "a few of the nearest outlines say what is to be found; more of them only spread attention."
    ),
    paper_says="nothing: ours; SPS attends to all outlines within tau, however many.",
    baseline="3: tau 0.3, all",
    variants=tuple(
        Variant(
            f"{count}: {name}",
            replace(OURS, slices=slices, prompt_memory=prompts, memory=recent),
            f"{count}: tau 0.3, all",
        )
        for count, slices in BUDGETS.items()
        for name, (prompts, recent) in MEMORIES.items()
    ),
    claims=tuple(
        Claim(
            f"SPS with a cap of two beats SPS without ({count} outlines)",
            f"{count}: tau 0.3, n 2",
            f"{count}: tau 0.3, all",
        )
        for count in BUDGETS
    ),
    plots=(
        Lines(
            "ours-prompt-cap",
            "Outlines attended to at most",
            xlabel="outlined slices",
            series=tuple(
                Series(name, tuple(f"{count}: {name}" for count in BUDGETS), at=tuple(BUDGETS))
                for name in DRAWN
            ),
        ),
    ),
    recorded=Recorded(minutes=7.2, dice_phantoms=0.737, dice_cts=0.796),
)
