"""How long what is left of a study may take: from its own records, or from a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.model.base import LoadedModel
from voxtrail.session import Config, segment
from voxtrail.study.plan import TaskGroup, encodings, tracked

#: Slices of the trial: the first is outlined, the others are tracked.
TRIAL_SLICES = 8


@dataclass(frozen=True)
class Rates:
    """Seconds a slice of the study's model at its own input size, on this machine."""

    encoding_s: float
    tracking_s: float


def trial(loaded: LoadedModel) -> Rates:
    """Segment a small made-up scan and return what a slice costs."""
    rng = np.random.default_rng(0)
    hu = rng.normal(40, 200, (32, 32, TRIAL_SLICES)).astype(np.int16)
    volume = Volume.from_stored(hu, np.eye(4))
    mask = np.zeros((32, 32), dtype=np.bool_)
    mask[10:22, 10:22] = True
    prompts = Prompts((MaskPrompt(1, Axis.AXIAL, 0, mask),), volume.stored)
    config = Config(model=loaded.name, preset="baseline", crop="none", extent="all")
    rates = Rates(0.0, 0.0)
    for _ in range(2):  # the first run warms up and is not counted
        seconds = segment(volume, prompts, config, model=loaded).record.seconds
        encoding = seconds["image encoder"]
        rates = Rates(encoding / TRIAL_SLICES, (seconds["total"] - encoding) / (TRIAL_SLICES - 1))
    return rates


def estimate_s(
    groups: Sequence[TaskGroup], margin_mm: float, rates: Rates, input_size: int
) -> tuple[float, float]:
    """Return seconds of encoding and of tracking.

    Other input sizes count by their number of pixels. Other models count like the study's, which
    is wrong by their difference in size.
    """

    def pixels(resolution: str) -> float:
        return (int(resolution) / input_size) ** 2 if resolution else 1.0

    encoding = sum(
        count * rates.encoding_s * pixels(key[1])
        for key, count in encodings(groups, margin_mm).items()
    )
    tracking = sum(
        count * rates.tracking_s * pixels(resolution)
        for resolution, count in tracked(groups, margin_mm).items()
    )
    return encoding, tracking
