"""Preprocessing: window, CLAHE, both, or none."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import BASELINE, NO_PREPROCESSING, rivals
from voxtrail.study.tasks.track_outlines import TrackOutlines

EXPERIMENT = Experiment(
    name="preprocessing",
    place="Table V, experiment 2",
    hypothesis=(
        "bone fills a narrow range of a CT, so a window shows a network trained on photographs "
        "more than the raw range does."
    ),
    paper_says=(
        "windowing alone is best, 30 % better than raw data and better than CLAHE (Table V, "
        "experiment 2). Its CLAHE + windowing appears twice; the second time is run here at a "
        "three times higher clip limit (our reading)."
    ),
    baseline="windowing alone",
    variants=(
        Variant("no preprocessing", NO_PREPROCESSING),
        Variant("CLAHE + windowing", TrackOutlines(window="bone+clahe")),
        Variant("CLAHE alone", TrackOutlines(window="clahe")),
        Variant(
            "CLAHE + windowing, clip limit x3",
            TrackOutlines(window="window-clahe:clip_limit=0.03"),
        ),
        Variant("windowing alone", BASELINE),
        *rivals(),
    ),
    claims=(
        Claim("windowing beats raw data (by 30 %)", "windowing alone", "no preprocessing"),
        Claim("windowing beats CLAHE", "windowing alone", "CLAHE alone"),
        Claim("windowing beats CLAHE + windowing", "windowing alone", "CLAHE + windowing"),
    ),
    recorded=Recorded(minutes=11.1, dice_phantoms=0.723, dice_cts=0.755),
)
