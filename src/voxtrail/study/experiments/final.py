"""The final comparison.

Hypothesis: near outlines and few, distinct memories add up.
Command: ``voxtrail study run final --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: IS + SPS is best: Dice 0.841 against 0.804 of the baseline and 0.594 without
    preprocessing (Table I, 2,500 structures).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Paper, Variant
from voxtrail.study.methods import BASELINE, IS, IS_SPS, NO_PREPROCESSING, SPS, rivals


@dataclass(frozen=True)
class Final(Experiment):
    """See above."""

    name: ClassVar[str] = "final"
    place: ClassVar[str] = "Table I"
    hypothesis: ClassVar[str] = "near outlines and few, distinct memories add up."
    paper_says: ClassVar[str] = (
        "IS + SPS is best: Dice 0.841 against 0.804 of the baseline and 0.594 without "
        "preprocessing (Table I, 2,500 structures)."
    )
    baseline: ClassVar[str | None] = "baseline"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            Variant("NP", NO_PREPROCESSING, paper=Paper(0.594, 0.242, 0.509, 0.227, 11.177, 9.366)),
            Variant("baseline", BASELINE, paper=Paper(0.804, 0.134, 0.734, 0.148, 6.240, 6.563)),
            Variant("SPS", SPS, paper=Paper(0.823, 0.117, 0.751, 0.134, 5.236, 5.740)),
            Variant("IS", IS, paper=Paper(0.822, 0.125, 0.759, 0.138, 5.683, 5.178)),
            Variant("IS + SPS", IS_SPS, paper=Paper(0.841, 0.107, 0.778, 0.122, 4.788, 4.930)),
            *rivals(),
        )
