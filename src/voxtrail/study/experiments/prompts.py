"""Prompts: which slices are outlined.

Hypothesis: more outlines help, and outlines at both ends bound the structure.
Command: ``voxtrail study run prompts --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: first-middle-last is the best trade between annotation and Dice (Table V, experiment 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Prompts(Experiment):
    """See above."""

    name: ClassVar[str] = "prompts"
    place: ClassVar[str] = "Table V, experiment 3"
    hypothesis: ClassVar[str] = "more outlines help, and outlines at both ends bound the structure."
    paper_says: ClassVar[str] = (
        "first-middle-last is the best trade between annotation and Dice (Table V, experiment 3)."
    )
    baseline: ClassVar[str | None] = "first-middle-last (3)"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        rows = []
        for name, slices in (
            ("middle (1)", "middle"),
            ("first-last (2)", "first-last"),
            ("first-middle-last (3)", "first-middle-last"),
            ("uniform (5)", "uniform:5"),
            ("uniform (7)", "uniform:7"),
        ):
            rows += [
                Variant(name, TrackOutlines(slices=slices)),
                *rivals(slices, f", {name}", against=name),
            ]
        return tuple(rows)
