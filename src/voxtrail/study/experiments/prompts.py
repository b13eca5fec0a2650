"""Prompts: which slices are outlined."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Which slices are outlined, by the name of the row.
CHOICES = {
    "middle (1)": "middle",
    "first-last (2)": "first-last",
    "first-middle-last (3)": "first-middle-last",
    "uniform (5)": "uniform:5",
    "uniform (7)": "uniform:7",
}

EXPERIMENT = Experiment(
    name="prompts",
    place="Table V, experiment 3",
    hypothesis="more outlines help, and outlines at both ends bound the structure.",
    paper_says=(
        "first-middle-last is the best trade between annotation and Dice (Table V, experiment 3)."
    ),
    baseline="first-middle-last (3)",
    variants=tuple(
        row
        for name, slices in CHOICES.items()
        for row in (
            Variant(name, TrackOutlines(slices=slices)),
            *rivals(slices, f", {name}", against=name),
        )
    ),
    claims=(
        Claim("first-middle-last beats first-last", "first-middle-last (3)", "first-last (2)"),
        Claim("more outlines beat first-middle-last", "uniform (7)", "first-middle-last (3)"),
    ),
    recorded=Recorded(minutes=7.7, dice_phantoms=0.723, dice_cts=0.755),
)
