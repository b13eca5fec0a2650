"""Outlines drawn carelessly.

Hypothesis: an outline that is a little off costs interpolation as much as tracking.
Command: ``voxtrail study run noisy-prompts --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: the real run in docs/study says.
The paper: nothing: ours; the paper's outlines are the truth. Human outlines score below ideal ones
    (arXiv 2603.10541).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.methods import IS_SPS, RIVALS, rivals
from voxtrail.study.noise import NOISES
from voxtrail.study.tasks.interpolate_outlines import InterpolateOutlines

STRENGTHS_MM = (2.0, 4.0)


@dataclass(frozen=True)
class NoisyPrompts(Experiment):
    """See above."""

    name: ClassVar[str] = "noisy-prompts"
    place: ClassVar[str] = "ours"
    hypothesis: ClassVar[str] = (
        "an outline that is a little off costs interpolation as much as tracking."
    )
    paper_says: ClassVar[str] = (
        "nothing: ours; the paper's outlines are the truth. Human outlines score below ideal ones "
        "(arXiv 2603.10541)."
    )
    baseline: ClassVar[str | None] = "clean: IS + SPS"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        rows = [Variant("clean: IS + SPS", IS_SPS), *rivals(suffix=", clean")]
        for noise in NOISES.members():
            for mm in STRENGTHS_MM:
                spec = f"{noise}:mm={mm:g}"
                ours = f"{noise} {mm:g} mm: IS + SPS"
                rows += [
                    Variant(ours, replace(IS_SPS, noise=spec)),
                    *(
                        Variant(
                            f"{noise} {mm:g} mm: {by}", InterpolateOutlines(by=by, noise=spec), ours
                        )
                        for by in RIVALS
                    ),
                ]
        return tuple(rows)
