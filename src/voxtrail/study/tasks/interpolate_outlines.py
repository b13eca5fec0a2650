"""Outlines carried through a structure without a model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.baselines import INTERPOLATORS
from voxtrail.core.prompts import MaskPrompt
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OptionError, UnavailableError
from voxtrail.study.target import LABEL, Target
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.base import Measurements, Task
from voxtrail.study.tasks.outlines import draw, past_ends, picture, scores


@dataclass(frozen=True)
class InterpolateOutlines(Task):
    """Fill in between axial outlines.

    Parameters
    ----------
    slices, noise
        As in `voxtrail.study.tasks.track_outlines.TrackOutlines`.
    by
        Name of the interpolation, such as ``signed-distance``.
    """

    kind: ClassVar[str] = "interpolate"
    slices: str = "first-middle-last"
    by: str = "signed-distance"
    noise: str | None = None

    def run(self, target: Target | None, context: TaskContext) -> Measurements:
        """Draw the outlines, fill in between, score the result; see `Task.run`."""
        assert target is not None
        prompts = draw(target, self.slices, ("axial",), self.noise)
        outlines = [item for item in prompts.of(LABEL) if isinstance(item, MaskPrompt)]
        grid = target.volume.grid
        with context.peak_memory() as peak:
            started = time.perf_counter()
            try:
                mask = INTERPOLATORS.parse(self.by).interpolate(
                    outlines, grid.shape, grid.spacing_mm
                )
            except OptionError as error:
                raise UnavailableError(str(error)) from error
            spent = time.perf_counter() - started
        found = LabelMap(mask.astype(np.uint8), target.truth.stored, target.truth.names)
        past_first, past_last = past_ends(found, target)
        return Measurements(
            model=self.by,
            scores=scores(found, target, prompts),
            crop_slices=target.crop.shape[2],
            prompts=len(outlines),
            past_first=past_first,
            past_last=past_last,
            total_s=spent,
            spent_s=spent,
            peak_mib=peak(),
            picture=picture(found, target, prompts),
        )
