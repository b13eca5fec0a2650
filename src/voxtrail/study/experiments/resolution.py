"""The side of the model's input."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, IS_SPS, rivals
from voxtrail.study.plots import Lines, Series

SIDES = (256, 512, 768, 1024)
METHODS = {"baseline": BASELINE, "IS + SPS": IS_SPS}

EXPERIMENT = Experiment(
    name="resolution",
    place="ours",
    hypothesis="crops of bones are small: a smaller input loses little and costs a fraction.",
    paper_says="nothing: ours; the paper takes 1024.",
    baseline="baseline, 1024",
    variants=(
        *(
            Variant(f"{name}, {side}", replace(task, resolution=side), f"{name}, 1024")
            for name, task in METHODS.items()
            for side in SIDES
        ),
        *rivals(against="baseline, 1024"),
    ),
    plots=(
        Lines(
            "ours-resolution",
            "Input size against Dice",
            xlabel="side of the model's input, pixels",
            series=tuple(
                Series(name, tuple(f"{name}, {side}" for side in SIDES), at=SIDES)
                for name in METHODS
            ),
        ),
    ),
)
