"""Preprocessing: five rows.

Hypothesis: bone fills a narrow range of a CT, so a window shows a network trained on photographs
    more than the raw range does.
Command: ``voxtrail study run preprocessing --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: windowing alone is best, 30 % better than raw data and better than CLAHE (Table V,
    experiment 2). Its CLAHE + windowing appears twice; the second time is run here at a three times
    higher clip limit (our reading).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import BASELINE, NO_PREPROCESSING, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class Preprocessing(Experiment):
    """See above."""

    name: ClassVar[str] = "preprocessing"
    place: ClassVar[str] = "Table V, experiment 2"
    hypothesis: ClassVar[str] = (
        "bone fills a narrow range of a CT, so a window shows a network trained on photographs "
        "more than the raw range does."
    )
    paper_says: ClassVar[str] = (
        "windowing alone is best, 30 % better than raw data and better than CLAHE (Table V, "
        "experiment 2). Its CLAHE + windowing appears twice; the second time is run here at a "
        "three times higher clip limit (our reading)."
    )
    baseline: ClassVar[str | None] = "windowing alone"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return (
            Variant("no preprocessing", NO_PREPROCESSING),
            Variant("CLAHE + windowing", TrackOutlines(window="bone+clahe")),
            Variant("CLAHE alone", TrackOutlines(window="clahe")),
            Variant(
                "CLAHE + windowing, clip limit x3",
                TrackOutlines(window="window-clahe:clip_limit=0.03"),
            ),
            Variant("windowing alone", BASELINE),
            *rivals(),
        )
