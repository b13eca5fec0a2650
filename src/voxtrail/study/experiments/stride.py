"""Stride: every r-th slice is remembered."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines

EXPERIMENT = Experiment(
    name="stride",
    place="Table VI, experiment 1",
    hypothesis="memories further apart cover more of the structure.",
    paper_says="a larger stride helps a little (Table VI, experiment 1).",
    baseline="stride 1",
    variants=(
        Variant("stride 1", BASELINE),
        Variant("stride 2", TrackOutlines(memory="stride:r=2")),
        Variant("stride 4", TrackOutlines(memory="stride:r=4")),
        *rivals(),
    ),
    claims=tuple(Claim(f"stride {r} beats stride 1", f"stride {r}", "stride 1") for r in (2, 4)),
    recorded=Recorded(minutes=4.6, dice_phantoms=0.723, dice_cts=0.755),
)
