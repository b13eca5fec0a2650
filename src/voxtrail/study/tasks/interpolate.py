"""Outlines carried through a case without a model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.baselines import INTERPOLATORS
from voxtrail.core.prompts import MaskPrompt
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OptionError
from voxtrail.study.bench import Bench
from voxtrail.study.case import LABEL, Case
from voxtrail.study.tasks.base import Measured, NotHereError, Task
from voxtrail.study.tasks.outlines import draw, past_ends, picture, scores


@dataclass(frozen=True)
class Interpolate(Task):
    """Fill in between axial outlines.

    Parameters
    ----------
    slices, noise
        As in `voxtrail.study.tasks.track.Track`.
    by
        Name of the interpolation, such as ``signed-distance``.
    """

    kind: ClassVar[str] = "interpolate"
    slices: str = "first-middle-last"
    by: str = "signed-distance"
    noise: str | None = None

    def run(self, case: Case | None, bench: Bench) -> Measured:
        """Draw the outlines, fill in between, score the result; see `Task.run`."""
        assert case is not None
        prompts = draw(case, self.slices, ("axial",), self.noise)
        outlines = [item for item in prompts.of(LABEL) if isinstance(item, MaskPrompt)]
        grid = case.volume.grid
        with bench.peak_memory() as peak:
            started = time.perf_counter()
            try:
                mask = INTERPOLATORS.parse(self.by).interpolate(
                    outlines, grid.shape, grid.spacing_mm
                )
            except OptionError as error:
                raise NotHereError(str(error)) from error
            spent = time.perf_counter() - started
        found = LabelMap(mask.astype(np.uint8), case.truth.stored, case.truth.names)
        past_first, past_last = past_ends(found, case)
        return Measured(
            model=self.by,
            scores=scores(found, case, prompts),
            crop_slices=case.crop.shape[2],
            prompts=len(outlines),
            past_first=past_first,
            past_last=past_last,
            total_s=spent,
            spent_s=spent,
            peak_mib=peak(),
            picture=picture(found, case, prompts),
        )
