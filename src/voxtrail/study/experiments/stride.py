"""Stride: every r-th slice is remembered.

Hypothesis: memories further apart cover more of the structure.
Command: ``voxtrail study run stride --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: a larger stride helps a little (Table VI, experiment 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Stride(Experiment):
    """See above."""

    name: ClassVar[str] = "stride"
    place: ClassVar[str] = "Table VI, experiment 1"
    hypothesis: ClassVar[str] = "memories further apart cover more of the structure."
    paper_says: ClassVar[str] = "a larger stride helps a little (Table VI, experiment 1)."
    baseline: ClassVar[str | None] = "stride 1"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            Variant("stride 1", BASELINE),
            Variant("stride 2", TrackOutlines(memory="stride:r=2")),
            Variant("stride 4", TrackOutlines(memory="stride:r=4")),
            *rivals(),
        )
