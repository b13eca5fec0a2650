"""Gating: only the most confident slices are remembered.

Hypothesis: confident memories are cleaner ones.
Command: ``voxtrail study run gating --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: gating hurts: confident slices lie beside outlined ones, which are remembered anyway
    (Table VI, experiment 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Gating(Experiment):
    """See above."""

    name: ClassVar[str] = "gating"
    place: ClassVar[str] = "Table VI, experiment 2"
    hypothesis: ClassVar[str] = "confident memories are cleaner ones."
    paper_says: ClassVar[str] = (
        "gating hurts: confident slices lie beside outlined ones, which are remembered anyway "
        "(Table VI, experiment 2)."
    )
    baseline: ClassVar[str | None] = "gate 0 (off)"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            *(Variant(f"gate {k}", TrackOutlines(memory=f"gate:k={k}")) for k in range(6, 0, -1)),
            Variant("gate 0 (off)", BASELINE),
            *rivals(),
        )
