"""How much slices change along the axis."""

from __future__ import annotations

from typing import Literal

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.tasks.slice_change import SliceChange

OF: tuple[Literal["mask", "grey"], ...] = ("mask", "grey")
#: As far back as SAM 2 remembers.
FARTHEST = 6

EXPERIMENT = Experiment(
    name="slice-change",
    place="Figure 5",
    hypothesis="slices a few steps apart differ abruptly in some bones.",
    paper_says=(
        "slices far apart differ abruptly, so that few, near ones are the better memories (figure "
        "5)."
    ),
    shows="values",
    variants=tuple(
        Variant(f"{of} {apart} apart", SliceChange(apart, of))
        for of in OF
        for apart in range(1, FARTHEST + 1)
    ),
)
