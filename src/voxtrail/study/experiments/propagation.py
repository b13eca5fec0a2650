"""Propagation: one pass, both ways, or along three axes.

Hypothesis: passes that see the structure differently correct each other.
Command: ``voxtrail study run propagation --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: both ways is below one pass; three axes win with nine outlines and lose with three (Table
    VI, experiment 4, figure 3c).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Propagation(Experiment):
    """See above."""

    name: ClassVar[str] = "propagation"
    place: ClassVar[str] = "Table VI, experiment 4"
    hypothesis: ClassVar[str] = "passes that see the structure differently correct each other."
    paper_says: ClassVar[str] = (
        "both ways is below one pass; three axes win with nine outlines and lose with three "
        "(Table VI, experiment 4, figure 3c)."
    )
    baseline: ClassVar[str | None] = "3 outlines: single axis"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        three = ("axial", "coronal", "sagittal")
        single_9 = "9 outlines: single axis"
        return (
            Variant("3 outlines: three axes", TrackOutlines(slices="middle", axes=three)),
            Variant("3 outlines: forward-backward", TrackOutlines(direction="both")),
            Variant("3 outlines: single axis", BASELINE),
            Variant("9 outlines: three axes", TrackOutlines(axes=three), single_9),
            Variant(single_9, TrackOutlines(slices="uniform:9")),
            *rivals(suffix=", 3 outlines"),
            *rivals("uniform:9", ", 9 outlines", single_9),
        )
