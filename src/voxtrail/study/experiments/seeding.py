"""Orthogonal seeding: one middle outline on each of three axes."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import OURS, OURS_TRACKED
from voxtrail.study.plots import Bars, both_measures

THREE_AXES = ("axial", "coronal", "sagittal")
ONE, THREE = "3 outlines: one axis", "3 outlines: one on each of three axes"
NAMES = ("1 outline: one axis", f"{ONE}, tracking", ONE, THREE)

EXPERIMENT = Experiment(
    name="seeding",
    place="ours",
    hypothesis=(
        "a middle outline an axis shows a structure's extent in all directions, which three "
        "outlines of one axis do not."
    ),
    paper_says=(
        "nothing of seeding; three axes with one outline each lose to one axis with three (Table "
        "VI, experiment 4)."
    ),
    baseline=ONE,
    variants=(
        Variant(NAMES[0], replace(OURS, slices="middle")),
        Variant(NAMES[1], OURS_TRACKED),
        Variant(ONE, OURS),
        Variant(THREE, replace(OURS, slices="middle", axes=THREE_AXES)),
    ),
    claims=(
        Claim("one outline on each of three axes beats three on one", THREE, ONE),
        Claim("two axes more beat one outline alone", THREE, NAMES[0]),
    ),
    plots=(
        Bars(
            "ours-seeding",
            "Three outlines: on one axis, or one on each of three",
            ticks=NAMES,
            series=both_measures(NAMES),
            ylabel="Dice",
        ),
    ),
    recorded=Recorded(minutes=5.1, dice_phantoms=0.737, dice_cts=0.796),
)
