"""Threshold: how near an outlined slice must be to be remembered.

Hypothesis: far outlines show another part of the bone and mislead.
Command: ``voxtrail study run threshold --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: smaller is better down to 0.3, which gains about 2 % over 1.0 (Table VI, experiment 5,
    figure 3a).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Threshold(Experiment):
    """See above."""

    name: ClassVar[str] = "threshold"
    place: ClassVar[str] = "Table VI, experiment 5"
    hypothesis: ClassVar[str] = "far outlines show another part of the bone and mislead."
    paper_says: ClassVar[str] = (
        "smaller is better down to 0.3, which gains about 2 % over 1.0 (Table VI, experiment 5, "
        "figure 3a)."
    )
    baseline: ClassVar[str | None] = "tau 1.0"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            *(
                Variant(
                    f"tau {step / 10:.1f}", TrackOutlines(prompt_memory=f"near:tau={step / 10:.1f}")
                )
                for step in range(1, 10)
            ),
            Variant("tau 1.0", BASELINE),
            *rivals(),
        )
