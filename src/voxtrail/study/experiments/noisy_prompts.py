"""Outlines drawn carelessly."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Experiment, Recorded, Variant
from voxtrail.study.methods import IS_SPS, OURS, OURS_NAME, RIVALS, rivals
from voxtrail.study.noise import NOISES
from voxtrail.study.plots import Bars, Series
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines

STRENGTHS_MM = (2.0, 4.0)
CLEAN = "clean: IS + SPS"
#: What spoils an outline, by how the rows call it.
SPOILT = {
    f"{noise} {mm:g} mm": f"{noise}:mm={mm:g}" for noise in NOISES.members() for mm in STRENGTHS_MM
}


def _spoilt(name: str, noise: str) -> tuple[Variant, ...]:
    """Return the rows of one noise: tracking, and the other methods against it."""
    tracked = f"{name}: IS + SPS"
    return (
        Variant(tracked, replace(IS_SPS, noise=noise)),
        *(
            Variant(f"{name}: {by}", InterpolateOutlines(by=by, noise=noise), tracked)
            for by in RIVALS
        ),
        Variant(f"{name}: {OURS_NAME}", replace(OURS, noise=noise), tracked),
    )


EXPERIMENT = Experiment(
    name="noisy-prompts",
    place="ours",
    hypothesis="an outline that is a little off costs interpolation as much as tracking.",
    paper_says=(
        "nothing: ours; the paper's outlines are the truth. Human outlines score below ideal ones "
        "(arXiv 2603.10541)."
    ),
    baseline=CLEAN,
    variants=(
        Variant(CLEAN, IS_SPS),
        *rivals(suffix=", clean"),
        Variant(f"clean: {OURS_NAME}", OURS),
        *(row for name, noise in SPOILT.items() for row in _spoilt(name, noise)),
    ),
    plots=(
        Bars(
            "ours-noisy-prompts",
            "Careless outlines",
            ticks=("clean", *SPOILT),
            series=(
                Series("IS + SPS", (CLEAN, *(f"{name}: IS + SPS" for name in SPOILT))),
                *(
                    Series(by, (f"{by}, clean", *(f"{name}: {by}" for name in SPOILT)))
                    for by in RIVALS
                ),
                Series(OURS_NAME, tuple(f"{name}: {OURS_NAME}" for name in ("clean", *SPOILT))),
            ),
        ),
    ),
    recorded=Recorded(minutes=7.8, dice_phantoms=0.726, dice_cts=0.792),
)
