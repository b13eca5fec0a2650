"""How many outlines against Dice, for all methods.

Hypothesis: tracking is ahead with few outlines; with many, interpolation catches up.
Command: ``voxtrail study run prompt-budget --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: nothing: ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, IS, IS_SPS, RIVALS, SPS
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines

BUDGETS = {
    1: "middle",
    2: "first-last",
    3: "first-middle-last",
    5: "uniform:5",
    7: "uniform:7",
    9: "uniform:9",
}
METHODS = {"baseline": BASELINE, "SPS": SPS, "IS": IS, "IS + SPS": IS_SPS}


@dataclass(frozen=True)
class PromptBudget(Experiment):
    """See above."""

    name: ClassVar[str] = "prompt-budget"
    place: ClassVar[str] = "ours"
    hypothesis: ClassVar[str] = (
        "tracking is ahead with few outlines; with many, interpolation catches up."
    )
    paper_says: ClassVar[str] = "nothing: ours."
    baseline: ClassVar[str | None] = "3: baseline"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        rows = []
        for count, slices in BUDGETS.items():
            reference = f"{count}: baseline"
            rows += [
                *(
                    Variant(f"{count}: {name}", replace(task, slices=slices), reference)
                    for name, task in METHODS.items()
                ),
                *(
                    Variant(f"{count}: {by}", InterpolateOutlines(slices=slices, by=by), reference)
                    for by in RIVALS
                ),
            ]
        return tuple(rows)
