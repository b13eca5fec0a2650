"""Threshold: how near an outlined slice must be to be remembered."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.plots import Lines, both_measures
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Share of the stack's length.
TAUS = tuple(step / 10 for step in range(1, 11))
NAMES = tuple(f"tau {tau:.1f}" for tau in TAUS)

EXPERIMENT = Experiment(
    name="threshold",
    place="Table VI, experiment 5",
    hypothesis="far outlines show another part of the bone and mislead.",
    paper_says=(
        "smaller is better down to 0.3, which gains about 2 % over 1.0 (Table VI, experiment 5, "
        "figure 3a)."
    ),
    baseline="tau 1.0",
    variants=(
        *(
            Variant(f"tau {tau:.1f}", TrackOutlines(prompt_memory=f"near:tau={tau:.1f}"))
            for tau in TAUS[:-1]
        ),
        Variant("tau 1.0", BASELINE),
        *rivals(),
    ),
    claims=(Claim("SPS: tau 0.3 beats 1.0 (by 2 %)", "tau 0.3", "tau 1.0"),),
    plots=(
        Lines(
            "figure-3a",
            "Figure 3a: Dice against the threshold of SPS",
            xlabel="tau: largest distance of an attended outline, share of the stack",
            ylabel="Dice",
            series=both_measures(NAMES, at=TAUS),
        ),
    ),
    recorded=Recorded(minutes=13.3, dice_phantoms=0.723, dice_cts=0.755),
)
