"""How many outlines against Dice, for all methods."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Experiment, Recorded, Variant
from voxtrail.study.methods import ALIGNED, BASELINE, IS, IS_SPS, OURS, OURS_NAME, RIVALS, SPS
from voxtrail.study.plots import Lines, Series
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Which slices are outlined, by their number.
BUDGETS = {
    1: "middle",
    2: "first-last",
    3: "first-middle-last",
    5: "uniform:5",
    7: "uniform:7",
    9: "uniform:9",
}
METHODS: dict[str, TrackOutlines | InterpolateOutlines] = {
    "baseline": BASELINE,
    "SPS": SPS,
    "IS": IS,
    "IS + SPS": IS_SPS,
    **{by: InterpolateOutlines(by=by) for by in RIVALS},
    "signed-distance, aligned": InterpolateOutlines(by=ALIGNED),
    OURS_NAME: OURS,
}

EXPERIMENT = Experiment(
    name="prompt-budget",
    place="ours",
    hypothesis=(
        "tracking is ahead with few outlines; with many, interpolation catches up; both fused stay "
        "ahead."
    ),
    paper_says="nothing: ours.",
    baseline="3: baseline",
    variants=tuple(
        Variant(f"{count}: {name}", replace(task, slices=slices), f"{count}: baseline")
        for count, slices in BUDGETS.items()
        for name, task in METHODS.items()
    ),
    plots=(
        Lines(
            "ours-prompt-budget",
            "Outlined slices against Dice",
            xlabel="outlined slices",
            series=tuple(
                Series(name, tuple(f"{count}: {name}" for count in BUDGETS), at=tuple(BUDGETS))
                for name in METHODS
            ),
        ),
    ),
    recorded=Recorded(minutes=10.9, dice_phantoms=0.704, dice_cts=0.76),
)
