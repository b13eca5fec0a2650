"""Families: each tracker with SAM 2's memory, with all memories and with IS + SPS."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.study.experiment import Claim, Experiment, Variant
from voxtrail.study.methods import BASELINE, IS_SPS, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: The row of whatever model the study runs with.
OWN = "the study's model"
#: A model of each family by its name, the first of which the others are held against, with the size
#: of its input where the study's is none of its own: SAM 3's are multiples of 14.
MODELS: dict[str, int | None] = {
    "small": None,
    "tiny": None,
    "medsam2": None,
    "edgetam": None,
    "sam3-tracker": 1008,
}


def _both(name: str, model: str | None, resolution: int | None, against: str) -> list[Variant]:
    """Return the rows of a model: with all memories, and with those of IS + SPS."""

    def of(task: TrackOutlines) -> TrackOutlines:
        return replace(task, model=model, resolution=resolution)

    return [
        Variant(name, of(BASELINE), against),
        Variant(f"{name}, is+sps", of(IS_SPS), name),
    ]


FIRST = next(iter(MODELS))

EXPERIMENT = Experiment(
    name="families",
    place="ours",
    hypothesis="what IS and SPS do for SAM 2 they do for every family that remembers as it does.",
    paper_says="nothing: SAM 2.1 only.",
    baseline=FIRST,
    variants=(
        *(
            row
            for name, resolution in MODELS.items()
            for row in _both(name, name, resolution, against=FIRST)
        ),
        *_both(OWN, None, None, against=FIRST),
        *rivals(),
    ),
    claims=(
        Claim("IS + SPS helps EdgeTAM", "edgetam, is+sps", "edgetam"),
        Claim("IS + SPS helps SAM 3's tracker", "sam3-tracker, is+sps", "sam3-tracker"),
        Claim("SAM 3's tracker is above SAM 2.1 small", "sam3-tracker", FIRST),
        Claim("SAM 2.1 small is above EdgeTAM", FIRST, "edgetam"),
    ),
)
