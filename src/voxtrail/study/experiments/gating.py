"""Gating: only the most confident slices are remembered."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines

EXPERIMENT = Experiment(
    name="gating",
    place="Table VI, experiment 2",
    hypothesis="confident memories are cleaner ones.",
    paper_says=(
        "gating hurts: confident slices lie beside outlined ones, which are remembered anyway "
        "(Table VI, experiment 2)."
    ),
    baseline="gate 0 (off)",
    variants=(
        *(Variant(f"gate {k}", TrackOutlines(memory=f"gate:k={k}")) for k in range(6, 0, -1)),
        Variant("gate 0 (off)", BASELINE),
        *rivals(),
    ),
    claims=tuple(
        Claim(f"no gating beats gate {k}", "gate 0 (off)", f"gate {k}") for k in (6, 3, 1)
    ),
    recorded=Recorded(minutes=8.6, dice_phantoms=0.723, dice_cts=0.755),
)
