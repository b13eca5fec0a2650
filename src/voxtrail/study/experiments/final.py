"""The final comparison."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Paper, Recorded, Variant
from voxtrail.study.methods import BASELINE, IS, IS_SPS, NO_PREPROCESSING, SPS, rivals

EXPERIMENT = Experiment(
    name="final",
    place="Table I",
    hypothesis="near outlines and few, distinct memories add up.",
    paper_says=(
        "IS + SPS is best: Dice 0.841 against 0.804 of the baseline and 0.594 without "
        "preprocessing (Table I, 2,500 structures)."
    ),
    baseline="baseline",
    variants=(
        Variant("NP", NO_PREPROCESSING, paper=Paper(0.594, 0.242, 0.509, 0.227, 11.177, 9.366)),
        Variant("baseline", BASELINE, paper=Paper(0.804, 0.134, 0.734, 0.148, 6.240, 6.563)),
        Variant("SPS", SPS, paper=Paper(0.823, 0.117, 0.751, 0.134, 5.236, 5.740)),
        Variant("IS", IS, paper=Paper(0.822, 0.125, 0.759, 0.138, 5.683, 5.178)),
        Variant("IS + SPS", IS_SPS, paper=Paper(0.841, 0.107, 0.778, 0.122, 4.788, 4.930)),
        *rivals(),
    ),
    claims=(
        Claim("IS + SPS beats the baseline (by 4 %)", "IS + SPS", "baseline"),
        Claim("the baseline beats no preprocessing", "baseline", "NP"),
        Claim("vertebrae gain from IS + SPS (12.5 points)", "IS + SPS", "baseline", "vertebrae"),
    ),
    recorded=Recorded(minutes=7.8, dice_phantoms=0.723, dice_cts=0.755),
)
