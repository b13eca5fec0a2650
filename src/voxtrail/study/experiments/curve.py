"""Dice against the number of outlined slices, up to fifteen, by bone and in all."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import ALIGNED, OURS, OURS_NAME, OURS_TRACKED
from voxtrail.study.plots import Lines, Series
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Which slices are outlined, by their number.
BUDGETS = {
    1: "middle",
    2: "first-last",
    3: "first-middle-last",
    **{count: f"uniform:{count}" for count in (5, 7, 9, 12, 15)},
}
INTERPOLATION = "interpolation, aligned"
METHODS: dict[str, TrackOutlines | InterpolateOutlines] = {
    "baseline": replace(OURS_TRACKED, prompt_memory="all", memory="recent:k=6"),
    "is+sps": replace(OURS_TRACKED, prompt_memory="near:tau=0.3"),
    OURS_NAME: OURS,
    INTERPOLATION: InterpolateOutlines(by=ALIGNED),
}

EXPERIMENT = Experiment(
    name="curve",
    place="ours",
    hypothesis=(
        "with few outlines tracking is ahead and with many interpolation is; both fused are ahead "
        "of the better one at every number."
    ),
    paper_says=(
        "nothing: ours. All in the crop and between the ends that `voxtrail segment` takes, so "
        "that lines differ by the method alone; `prompt-budget` has the paper's crop."
    ),
    baseline="3: baseline",
    variants=tuple(
        Variant(f"{count}: {name}", replace(task, slices=slices), f"{count}: baseline")
        for count, slices in BUDGETS.items()
        for name, task in METHODS.items()
    ),
    claims=tuple(
        Claim(f"{OURS_NAME} beats {name} ({count} outlines)", f"{count}: {OURS_NAME}",
              f"{count}: {name}")
        for count in BUDGETS
        for name in ("is+sps", INTERPOLATION)
        if (count, name) != (1, INTERPOLATION)
    ),
    plots=(
        Lines(
            "ours-curve",
            "Dice against the number of outlined slices",
            xlabel="outlined slices",
            series=tuple(
                Series(name, tuple(f"{count}: {name}" for count in BUDGETS), at=tuple(BUDGETS))
                for name in METHODS
            ),
            by_bone=True,
        ),
    ),
    recorded=Recorded(minutes=12.9, dice_phantoms=0.708, dice_cts=0.703),
)  # fmt: skip
