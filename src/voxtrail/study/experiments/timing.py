"""Timing: seconds of each component, and tracking against memory size."""

from __future__ import annotations

from voxtrail.study.experiment import Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, IS, IS_SPS, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines

EXPERIMENT = Experiment(
    name="timing",
    place="Figures 4a and 4b",
    hypothesis="encoding dominates; tracking grows with the number of memories.",
    paper_says=(
        "image encoding dominates, and attending to fewer slices tracks faster (figures 4a and 4b)."
    ),
    baseline="6 memories",
    shows="seconds",
    variants=(
        *(Variant(f"{k} memories", TrackOutlines(memory=f"recent:k={k}")) for k in range(6)),
        Variant("6 memories", BASELINE),
        Variant("intelligent slicing", IS),
        Variant("IS + SPS", IS_SPS),
        *rivals(),
    ),
    recorded=Recorded(minutes=10.7, dice_phantoms=0.723, dice_cts=0.755),
)
