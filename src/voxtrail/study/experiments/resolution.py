"""The side of the model's input.

Hypothesis: crops of bones are small: a smaller input loses little and costs a fraction.
Command: ``voxtrail study run resolution --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: nothing: ours; the paper takes 1024.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, IS_SPS, rivals

SIDES = (256, 512, 768, 1024)


@dataclass(frozen=True)
class Resolution(Experiment):
    """See above."""

    name: ClassVar[str] = "resolution"
    place: ClassVar[str] = "ours"
    hypothesis: ClassVar[str] = (
        "crops of bones are small: a smaller input loses little and costs a fraction."
    )
    paper_says: ClassVar[str] = "nothing: ours; the paper takes 1024."
    baseline: ClassVar[str | None] = "baseline, 1024"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            *(
                Variant(f"{name}, {side}", replace(task, resolution=side), f"{name}, 1024")
                for name, task in (("baseline", BASELINE), ("IS + SPS", IS_SPS))
                for side in SIDES
            ),
            *rivals(against="baseline, 1024"),
        )
