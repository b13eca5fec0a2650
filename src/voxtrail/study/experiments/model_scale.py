"""Model scale: the four sizes of SAM 2.1."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Variant
from voxtrail.study.methods import BASELINE, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: The row of whatever model the study runs with.
OWN = "the study's model"

EXPERIMENT = Experiment(
    name="model-scale",
    place="Table V, experiment 1",
    hypothesis="a larger encoder sees more, but what limits tracking is memory, not features.",
    paper_says="small is about as good as large at a much lower cost (Table V, experiment 1).",
    baseline="small",
    variants=(
        *(
            Variant(name, TrackOutlines(model=name))
            for name in ("small", "tiny", "base-plus", "large")
        ),
        Variant(OWN, BASELINE),
        *rivals(),
    ),
    claims=(Claim("large is above small by little", "large", "small"),),
)
