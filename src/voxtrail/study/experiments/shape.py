"""Outlines as shape: tracking and interpolation, and both fused."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import ALIGNED, OURS, OURS_TRACKED
from voxtrail.study.noise import NOISES
from voxtrail.study.plots import Bars, Lines, Series
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Which slices are outlined, by their number.
BUDGETS = {3: "first-middle-last", 5: "uniform:5", 7: "uniform:7", 9: "uniform:9"}
METHODS: dict[str, TrackOutlines | InterpolateOutlines] = {
    "tracking": OURS_TRACKED,
    "interpolation": InterpolateOutlines(),
    "interpolation, aligned": InterpolateOutlines(by=ALIGNED),
    "shape": OURS,
}
VARIANTS = {
    "shape, not aligned": replace(OURS, prior="shape:align=0"),
    "shape, not smoothed": replace(OURS, prior="shape:smooth=0"),
    "shape, logits worth less": replace(OURS, prior="shape:worth=0.5"),
    "smoothed alone": replace(OURS, prior="shape:worth=100"),
}
#: Where outlines are careless, and by how much.
SPOILT_AT, SPOILT_MM = 5, 2
SPOILT = tuple(NOISES.members())


def _spoilt(noise: str, name: str) -> str:
    """Return the name of a row with careless outlines."""
    return f"{SPOILT_AT}, {noise} {SPOILT_MM} mm: {name}"


EXPERIMENT = Experiment(
    name="shape",
    place="ours",
    hypothesis=(
        "tracking and interpolation are wrong in different places, so that both together are "
        "better than the better one."
    ),
    paper_says="nothing: ours.",
    baseline="3: tracking",
    by_bone=True,
    variants=(
        *(
            Variant(f"{count}: {name}", replace(task, slices=slices), f"{count}: tracking")
            for count, slices in BUDGETS.items()
            for name, task in METHODS.items()
        ),
        *(
            Variant(f"{count}: {name}", replace(task, slices=slices), f"{count}: shape")
            for count, slices in BUDGETS.items()
            for name, task in VARIANTS.items()
        ),
        *(
            Variant(
                _spoilt(noise, name),
                replace(task, slices=BUDGETS[SPOILT_AT], noise=f"{noise}:mm={SPOILT_MM}"),
                _spoilt(noise, "tracking"),
            )
            for noise in SPOILT
            for name, task in METHODS.items()
        ),
    ),
    claims=tuple(
        Claim(f"shape beats {name} ({count} outlines)", f"{count}: shape", f"{count}: {name}")
        for count in BUDGETS
        for name in METHODS
        if name != "shape"
    ),
    plots=(
        Lines(
            "ours-shape",
            "Tracking, interpolation, and both fused",
            xlabel="outlined slices",
            series=tuple(
                Series(name, tuple(f"{count}: {name}" for count in BUDGETS), at=tuple(BUDGETS))
                for name in METHODS
            ),
        ),
        Bars(
            "ours-shape-careless",
            f"Careless outlines, {SPOILT_AT} of them, {SPOILT_MM} mm off",
            ticks=("clean", *SPOILT),
            series=tuple(
                Series(
                    name,
                    (f"{SPOILT_AT}: {name}", *(_spoilt(noise, name) for noise in SPOILT)),
                )
                for name in METHODS
            ),
        ),
    ),
    recorded=Recorded(minutes=16.2, dice_phantoms=0.765, dice_cts=0.795),
)
