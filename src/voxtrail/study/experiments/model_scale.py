"""Model scale: the four sizes of SAM 2.1.

Hypothesis: a larger encoder sees more, but what limits tracking is memory, not features.
Command: ``voxtrail study run model-scale --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: small is about as good as large at a much lower cost (Table V, experiment 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class ModelScale(Experiment):
    """See above."""

    name: ClassVar[str] = "model-scale"
    place: ClassVar[str] = "Table V, experiment 1"
    hypothesis: ClassVar[str] = (
        "a larger encoder sees more, but what limits tracking is memory, not features."
    )
    paper_says: ClassVar[str] = (
        "small is about as good as large at a much lower cost (Table V, experiment 1)."
    )
    baseline: ClassVar[str | None] = "small"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            Variant("small", TrackOutlines(model="small")),
            Variant("tiny", TrackOutlines(model="tiny")),
            Variant("base-plus", TrackOutlines(model="base-plus")),
            Variant("large", TrackOutlines(model="large")),
            Variant("the study's model", BASELINE),
            *rivals(),
        )
