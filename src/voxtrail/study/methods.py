"""The methods that several experiments share, so that they are run once a structure."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.session.config import PRESETS
from voxtrail.study.experiment import Variant
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: The paper's settings: small, windowing, first-middle-last, one axial pass, all memories.
BASELINE = TrackOutlines()
NO_PREPROCESSING = TrackOutlines(window="none")
SPS = TrackOutlines(prompt_memory="near:tau=0.3")
IS = TrackOutlines(memory="intelligent")
IS_SPS = TrackOutlines(prompt_memory="near:tau=0.3", memory="intelligent")

#: What `voxtrail segment` does when nothing else is asked for, and what it is called.
OURS_NAME = "is+sps+shape"
_PRESET = PRESETS[OURS_NAME]
OURS = TrackOutlines(
    prompt_memory=_PRESET.prompt_memory,
    memory=_PRESET.memory,
    crop=_PRESET.crop,
    extent=None,
    prior=_PRESET.prior,
)
#: The same where outlines are not heard as shape.
OURS_TRACKED = replace(OURS, prior="none")

#: What a user would do without a model, by name.
RIVALS = ("signed-distance", "morphological")
#: Interpolation between outlines that are moved onto one another first, as the shape prior does.
ALIGNED = "signed-distance:align=0.1"


def rivals(
    slices: str = "first-middle-last", suffix: str = "", against: str | None = None
) -> tuple[Variant, ...]:
    """Return the rows of the methods without a model, given the same axial outlines."""
    return tuple(
        Variant(f"{by}{suffix}", InterpolateOutlines(slices=slices, by=by), against)
        for by in RIVALS
    )
