"""The outlines of a structure, and the scores of what became of them: common to all methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap
from voxtrail.evaluate import evaluate, simulate
from voxtrail.metrics import Scores
from voxtrail.preprocess import Window
from voxtrail.study.noise import NOISES
from voxtrail.study.target import LABEL, Target
from voxtrail.study.tasks.base import Picture

#: Slices shown of a structure.
SHOWN_SLICES = 8


def draw(target: Target, slices: str, axes: Sequence[str], noise: str | None) -> Prompts:
    """Return outlines of a structure: cut from the truth, spoilt by ``noise`` where given."""
    prompts = simulate(target.truth, slices, [Axis.named(name) for name in axes])
    if noise is None:
        return prompts
    kind = NOISES.parse(noise)
    spacing = target.volume.grid.spacing_mm
    spoilt = []
    for prompt in prompts.prompts:
        assert isinstance(prompt, MaskPrompt)  # simulate draws nothing else
        pixel_mm = spacing[prompt.axis.row_axis], spacing[prompt.axis.column_axis]
        # Of the structure and the slice alone: every method gets the same spoilt outlines.
        text = (
            f"{target.item.case}/{target.item.structure}/{prompt.axis.label}/{prompt.slice_index}"
        )
        rng = np.random.default_rng(list(text.encode()))
        mask = kind.spoil(prompt.mask, pixel_mm, rng)
        # A hand that strays is stopped at the side of the picture, which is the crop.
        inside = np.zeros_like(mask)
        inside[target.crop.in_stack(prompt.axis, target.volume.grid.shape)[1:]] = True
        spoilt.append(replace(prompt, mask=mask & inside if (mask & inside).any() else prompt.mask))
    return replace(prompts, prompts=tuple(spoilt))


def scores(found: LabelMap, target: Target, prompts: Prompts) -> dict[str, float | None]:
    """Return every measure by column: over all slices, and over those that were not outlined."""
    tables = evaluate(found, target.truth, prompts)
    assert tables.unprompted is not None  # prompts were given
    everywhere, unprompted = tables.everywhere.scores[LABEL], tables.unprompted.scores[LABEL]
    return {
        **everywhere.to_json(),
        **{f"unprompted_{name}": value for name, value in unprompted.to_json().items()},
    }


def score_columns() -> tuple[str, ...]:
    """Return the names of the columns that `scores` fills."""
    names = tuple(Scores.__dataclass_fields__)
    return (*names, *(f"unprompted_{name}" for name in names))


def past_ends(found: LabelMap, target: Target) -> tuple[int, int]:
    """Return on how many axial slices below and above the structure something was found."""
    marked = np.flatnonzero((found.voxels > 0).any(axis=(0, 1)))
    own = np.flatnonzero((target.truth.voxels > 0).any(axis=(0, 1)))
    return int((marked < own[0]).sum()), int((marked > own[-1]).sum())


def picture(found: LabelMap, target: Target, prompts: Prompts) -> Picture:
    """Return slices of the crop, evenly spaced over the structure, with truth and result."""
    axis, shape = Axis.AXIAL, target.volume.grid.shape
    cut = target.crop.in_stack(axis, shape)
    truth = axis.to_stack(target.truth.voxels)[cut] > 0
    own = np.flatnonzero(truth.any(axis=(1, 2)))
    chosen = np.unique(np.linspace(own[0], own[-1], SHOWN_SLICES).round().astype(np.int64))
    grey = Window().apply(axis.to_stack(target.volume.voxels)[cut][chosen])
    drawn = {item.slice_index - target.crop.start[2] for item in prompts.of(LABEL, axis)}
    return Picture(
        grey=(grey * 255).astype(np.uint8),
        truth=truth[chosen],
        found=axis.to_stack(found.voxels)[cut][chosen] > 0,
        slices=chosen,
        prompted=np.array([index in drawn for index in chosen]),
    )
