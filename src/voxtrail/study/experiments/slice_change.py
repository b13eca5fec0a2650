"""How much slices change along the axis.

Hypothesis: slices a few steps apart differ abruptly in some bones.
Command: ``voxtrail study run slice-change --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: a second a case; no model.
The paper: slices far apart differ abruptly, so that few, near ones are the better memories (figure
    5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from voxtrail.study.experiment import Experiment, Shows, Variant
from voxtrail.study.tasks.slice_change import SliceChange

OF: tuple[Literal["mask", "grey"], ...] = ("mask", "grey")
#: As far back as SAM 2 remembers.
FARTHEST = 6


@dataclass(frozen=True)
class SliceChanges(Experiment):
    """See above."""

    name: ClassVar[str] = "slice-change"
    place: ClassVar[str] = "Figure 5"
    hypothesis: ClassVar[str] = "slices a few steps apart differ abruptly in some bones."
    paper_says: ClassVar[str] = (
        "slices far apart differ abruptly, so that few, near ones are the better memories (figure "
        "5)."
    )
    baseline: ClassVar[str | None] = None
    shows: ClassVar[Shows] = "values"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return tuple(
            Variant(f"{of} {apart} apart", SliceChange(apart, of))
            for of in OF
            for apart in range(1, FARTHEST + 1)
        )
