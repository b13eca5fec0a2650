"""Slicing: how many recent slices are remembered, and with which embeddings."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, IS, rivals
from voxtrail.study.plots import Lines, Series, both_measures
from voxtrail.study.tasks.track_outlines import TrackOutlines

SIZES = range(7)
PLAIN = tuple(f"sliced {k}" for k in SIZES)
INTELLIGENT = "intelligent slicing"

EXPERIMENT = Experiment(
    name="slicing",
    place="Table VI, experiment 3",
    hypothesis=(
        "the middle temporal embeddings are alike, so a few memories with distinct embeddings do "
        "as well."
    ),
    paper_says=(
        "six are best of the plain ones, with a plateau in the middle; two with the first and the "
        "last embedding (IS) beat six, and plain two by about 4 % (Table VI, experiment 3, figure "
        "3b.i)."
    ),
    baseline=PLAIN[6],
    variants=(
        *(Variant(PLAIN[k], TrackOutlines(memory=f"recent:k={k}")) for k in SIZES[:6]),
        Variant(PLAIN[6], BASELINE),
        Variant(INTELLIGENT, IS),
        *rivals(),
    ),
    claims=(
        Claim("six memories beat three", PLAIN[6], PLAIN[3]),
        Claim("six memories beat none", PLAIN[6], PLAIN[0]),
        Claim("IS beats six memories", INTELLIGENT, PLAIN[6]),
        Claim("IS beats two plain memories (by 4 %)", INTELLIGENT, PLAIN[2]),
    ),
    plots=(
        Lines(
            "figure-3b-i",
            "Figure 3b.i: Dice against memory size",
            xlabel="recent slices attended to",
            ylabel="Dice",
            series=(
                *both_measures(PLAIN, at=tuple(SIZES)),
                # IS attends to two.
                Series("IS, all slices", (INTELLIGENT,), "dice", (2,)),
                Series("IS, off outlines", (INTELLIGENT,), "unprompted_dice", (2,)),
            ),
        ),
    ),
    recorded=Recorded(minutes=9.7, dice_phantoms=0.723, dice_cts=0.755),
)
