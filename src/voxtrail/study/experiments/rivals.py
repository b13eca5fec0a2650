"""The methods without a model, and where passes end."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import ALIGNED, IS_SPS, OURS, OURS_NAME, RIVALS, rivals
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines

FIRST_MIDDLE_LAST = "first-middle-last"


def _rows(slices: str) -> tuple[Variant, ...]:
    """Return the rows of one choice of outlined slices."""
    name, task = f"IS + SPS, {slices}", replace(IS_SPS, slices=slices)
    return (
        Variant(name, task),
        Variant(f"{name}, ends at outlines", replace(task, extent="prompts"), name),
        *rivals(slices, f", {slices}", name),
        Variant(f"signed-distance, aligned, {slices}", InterpolateOutlines(slices, ALIGNED), name),
        Variant(f"{OURS_NAME}, {slices}", replace(OURS, slices=slices), name),
    )


EXPERIMENT = Experiment(
    name="rivals",
    place="ours",
    hypothesis=(
        "tracking beats interpolation, and running past a structure's ends costs it some of that."
    ),
    paper_says=(
        "nothing: ours. The rows that end at the outermost outlines are the paper's method as "
        "`voxtrail segment` runs it; interpolation and is+sps+shape, which is its default, end "
        "there too."
    ),
    baseline=f"IS + SPS, {FIRST_MIDDLE_LAST}",
    variants=(*_rows(FIRST_MIDDLE_LAST), *_rows("uniform:5")),
    claims=tuple(
        Claim(text, f"IS + SPS, {FIRST_MIDDLE_LAST}", f"{by}, {FIRST_MIDDLE_LAST}")
        for text, by in zip(
            (
                "tracking beats interpolation (ours)",
                "tracking beats morphological interpolation (ours)",
            ),
            RIVALS,
            strict=True,
        )
    ),
    recorded=Recorded(minutes=2.3, dice_phantoms=0.726, dice_cts=0.792),
)
