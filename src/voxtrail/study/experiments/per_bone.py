"""The final comparison, bone by bone.

Hypothesis: bones that change abruptly from slice to slice gain most.
Command: ``voxtrail study run per-bone --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: vertebrae gain 12.5 points of Dice from IS + SPS (Table VII, figure 3c).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Shows, Variant
from voxtrail.study.methods import BASELINE, IS, IS_SPS, NO_PREPROCESSING, SPS, rivals


@dataclass(frozen=True)
class PerBone(Experiment):
    """See above."""

    name: ClassVar[str] = "per-bone"
    place: ClassVar[str] = "Table VII"
    hypothesis: ClassVar[str] = "bones that change abruptly from slice to slice gain most."
    paper_says: ClassVar[str] = (
        "vertebrae gain 12.5 points of Dice from IS + SPS (Table VII, figure 3c)."
    )
    baseline: ClassVar[str | None] = "baseline"
    shows: ClassVar[Shows] = "scores by bone"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            Variant("NP", NO_PREPROCESSING),
            Variant("baseline", BASELINE),
            Variant("SPS", SPS),
            Variant("IS", IS),
            Variant("IS + SPS", IS_SPS),
            *rivals(),
        )
