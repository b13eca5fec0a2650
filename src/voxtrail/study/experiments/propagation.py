"""Propagation: one pass, both ways, or along three axes."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.plots import Bars, both_measures
from voxtrail.study.tasks.track_outlines import TrackOutlines

THREE_AXES = ("axial", "coronal", "sagittal")
SINGLE_3, SINGLE_9 = "3 outlines: single axis", "9 outlines: single axis"
THREE_3, THREE_9 = "3 outlines: three axes", "9 outlines: three axes"
BOTH_WAYS = "3 outlines: forward-backward"

VARIANTS = (
    Variant(THREE_3, TrackOutlines(slices="middle", axes=THREE_AXES)),
    Variant(BOTH_WAYS, TrackOutlines(direction="both")),
    Variant(SINGLE_3, BASELINE),
    Variant(THREE_9, TrackOutlines(axes=THREE_AXES), SINGLE_9),
    Variant(SINGLE_9, TrackOutlines(slices="uniform:9")),
    *rivals(suffix=", 3 outlines"),
    *rivals("uniform:9", ", 9 outlines", SINGLE_9),
)
NAMES = tuple(variant.name for variant in VARIANTS)

EXPERIMENT = Experiment(
    name="propagation",
    place="Table VI, experiment 4",
    hypothesis="passes that see the structure differently correct each other.",
    paper_says=(
        "both ways is below one pass; three axes win with nine outlines and lose with three "
        "(Table VI, experiment 4, figure 3c)."
    ),
    baseline=SINGLE_3,
    variants=VARIANTS,
    claims=(
        Claim("one pass beats forward-backward", SINGLE_3, BOTH_WAYS),
        Claim("with 9 outlines three axes beat one", THREE_9, SINGLE_9),
        Claim("with 3 outlines one axis beats three", SINGLE_3, THREE_3),
    ),
    plots=(
        Bars(
            "figure-3c",
            "Figure 3c: propagation strategies",
            ticks=NAMES,
            series=both_measures(NAMES),
            ylabel="Dice",
        ),
    ),
    recorded=Recorded(minutes=15.5, dice_phantoms=0.723, dice_cts=0.755),
)
