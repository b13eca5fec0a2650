"""Timing: seconds of each component, and tracking against memory size.

Hypothesis: encoding dominates; tracking grows with the number of memories.
Command: ``voxtrail study run timing --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: image encoding dominates, and attending to fewer slices tracks faster (figures 4a and
    4b).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Shows, Variant
from voxtrail.study.methods import BASELINE, IS, IS_SPS, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Timing(Experiment):
    """See above."""

    name: ClassVar[str] = "timing"
    place: ClassVar[str] = "Figures 4a and 4b"
    hypothesis: ClassVar[str] = "encoding dominates; tracking grows with the number of memories."
    paper_says: ClassVar[str] = (
        "image encoding dominates, and attending to fewer slices tracks faster (figures 4a and 4b)."
    )
    baseline: ClassVar[str | None] = "6 memories"
    shows: ClassVar[Shows] = "seconds"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            *(Variant(f"{k} memories", TrackOutlines(memory=f"recent:k={k}")) for k in range(6)),
            Variant("6 memories", BASELINE),
            Variant("intelligent slicing", IS),
            Variant("IS + SPS", IS_SPS),
            *rivals(),
        )
