"""A crop that follows the outlines, against one that stays."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import OURS_TRACKED
from voxtrail.study.plots import Lines, Series
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Which slices are outlined, by their number.
BUDGETS = {3: "first-middle-last", 5: "uniform:5", 7: "uniform:7"}
#: Each crop, and the one that stays which it is tested against.
CROPS: dict[str, tuple[TrackOutlines, str]] = {
    "fixed, 20 mm": (replace(OURS_TRACKED, crop="label", margin_mm=20.0), "fixed, 20 mm"),
    "fixed, 10 mm": (replace(OURS_TRACKED, crop="label", margin_mm=10.0), "fixed, 20 mm"),
    "following, 20 mm": (replace(OURS_TRACKED, margin_mm=20.0), "fixed, 20 mm"),
    "following, 10 mm": (replace(OURS_TRACKED, margin_mm=10.0), "fixed, 10 mm"),
    "following, fitting": (OURS_TRACKED, "fixed, 10 mm"),
}

EXPERIMENT = Experiment(
    name="follow",
    place="ours",
    hypothesis=(
        "a window of the section's size that moves along keeps hold of structures that run "
        "obliquely, and changes nothing for others."
    ),
    paper_says="nothing: ours; the paper's crop stays.",
    baseline="3: fixed, 20 mm",
    by_bone=True,
    variants=tuple(
        Variant(f"{count}: {name}", replace(task, slices=slices), f"{count}: {against}")
        for count, slices in BUDGETS.items()
        for name, (task, against) in CROPS.items()
    ),
    claims=tuple(
        Claim(
            f"ribs gain from a crop that follows ({count} outlines)",
            f"{count}: following, fitting",
            f"{count}: fixed, 20 mm",
            "rib",
        )
        for count in BUDGETS
    ),
    plots=(
        Lines(
            "ours-follow",
            "Crops that follow and crops that stay",
            xlabel="outlined slices",
            series=tuple(
                Series(name, tuple(f"{count}: {name}" for count in BUDGETS), at=tuple(BUDGETS))
                for name in CROPS
            ),
        ),
    ),
    recorded=Recorded(minutes=12.9, dice_phantoms=0.776, dice_cts=0.804),
)
