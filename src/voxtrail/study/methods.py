"""The methods that several experiments share, so that they are run once a structure."""

from __future__ import annotations

from voxtrail.study.experiment import Variant
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: The paper's settings: small, windowing, first-middle-last, one axial pass, all memories.
BASELINE = TrackOutlines()
NO_PREPROCESSING = TrackOutlines(window="none")
SPS = TrackOutlines(prompt_memory="near:tau=0.3")
IS = TrackOutlines(memory="intelligent")
IS_SPS = TrackOutlines(prompt_memory="near:tau=0.3", memory="intelligent")

#: What a user would do without a model, by name.
RIVALS = ("signed-distance", "morphological")


def rivals(
    slices: str = "first-middle-last", suffix: str = "", against: str | None = None
) -> tuple[Variant, ...]:
    """Return the rows of the methods without a model, given the same axial outlines."""
    return tuple(
        Variant(f"{by}{suffix}", InterpolateOutlines(slices=slices, by=by), against)
        for by in RIVALS
    )
