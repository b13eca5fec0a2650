"""The final comparison, bone by bone."""

from __future__ import annotations

from voxtrail.study.experiment import Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, IS, IS_SPS, NO_PREPROCESSING, SPS, rivals

EXPERIMENT = Experiment(
    name="per-bone",
    place="Table VII",
    hypothesis="bones that change abruptly from slice to slice gain most.",
    paper_says="vertebrae gain 12.5 points of Dice from IS + SPS (Table VII, figure 3c).",
    baseline="baseline",
    shows="scores by bone",
    variants=(
        Variant("NP", NO_PREPROCESSING),
        Variant("baseline", BASELINE),
        Variant("SPS", SPS),
        Variant("IS", IS),
        Variant("IS + SPS", IS_SPS),
        *rivals(),
    ),
    recorded=Recorded(minutes=7.8, dice_phantoms=0.723, dice_cts=0.755),
)
