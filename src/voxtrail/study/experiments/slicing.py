"""Slicing: how many recent slices are remembered, and with which embeddings.

Hypothesis: the middle temporal embeddings are alike, so a few memories with distinct embeddings do
    as well.
Command: ``voxtrail study run slicing --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: six are best of the plain ones, with a plateau in the middle; two with the first and the
    last embedding (IS) beat six, and plain two by about 4 % (Table VI, experiment 3, figure 3b.i).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, IS, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Slicing(Experiment):
    """See above."""

    name: ClassVar[str] = "slicing"
    place: ClassVar[str] = "Table VI, experiment 3"
    hypothesis: ClassVar[str] = (
        "the middle temporal embeddings are alike, so a few memories with distinct embeddings do "
        "as well."
    )
    paper_says: ClassVar[str] = (
        "six are best of the plain ones, with a plateau in the middle; two with the first and the "
        "last embedding (IS) beat six, and plain two by about 4 % (Table VI, experiment 3, figure "
        "3b.i)."
    )
    baseline: ClassVar[str | None] = "sliced 6"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            *(Variant(f"sliced {k}", TrackOutlines(memory=f"recent:k={k}")) for k in range(6)),
            Variant("sliced 6", BASELINE),
            Variant("intelligent slicing", IS),
            *rivals(),
        )
