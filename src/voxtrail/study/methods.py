"""The methods that several experiments share, so that they are run once a case."""

from __future__ import annotations

from voxtrail.study.experiment import Variant
from voxtrail.study.tasks.interpolate import Interpolate
from voxtrail.study.tasks.track import Track

#: The paper's settings: small, windowing, first-middle-last, one axial pass, all memories.
BASELINE = Track()
NO_PREPROCESSING = Track(window="none")
SPS = Track(prompt_memory="near:tau=0.3")
IS = Track(memory="intelligent")
IS_SPS = Track(prompt_memory="near:tau=0.3", memory="intelligent")

#: What a user would do without a model, by name.
RIVALS = ("signed-distance", "morphological")


def rivals(
    slices: str = "first-middle-last", suffix: str = "", against: str | None = None
) -> tuple[Variant, ...]:
    """Return the rows of the methods without a model, given the same axial outlines."""
    return tuple(
        Variant(f"{by}{suffix}", Interpolate(slices=slices, by=by), against) for by in RIVALS
    )
