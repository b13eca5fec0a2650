"""The methods without a model, and where passes end.

Hypothesis: tracking beats interpolation, and running past a structure's ends costs it some of that.
Command: ``voxtrail study run rivals --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: nothing: ours. The rows that end at the outermost outlines are what `voxtrail segment`
    does by default; interpolation ends there too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import IS_SPS, rivals


@dataclass(frozen=True)
class Rivals(Experiment):
    """See above."""

    name: ClassVar[str] = "rivals"
    place: ClassVar[str] = "ours"
    hypothesis: ClassVar[str] = (
        "tracking beats interpolation, and running past a structure's ends costs it some of that."
    )
    paper_says: ClassVar[str] = (
        "nothing: ours. The rows that end at the outermost outlines are what `voxtrail segment` "
        "does by default; interpolation ends there too."
    )
    baseline: ClassVar[str | None] = "IS + SPS, first-middle-last"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        rows = []
        for slices in ("first-middle-last", "uniform:5"):
            ours = f"IS + SPS, {slices}"
            ending = IS_SPS if slices == "first-middle-last" else replace(IS_SPS, slices=slices)
            rows += [
                Variant(ours, ending),
                Variant(f"{ours}, ends at outlines", replace(ending, extent="prompts"), ours),
                *rivals(slices, f", {slices}", ours),
            ]
        return tuple(rows)
