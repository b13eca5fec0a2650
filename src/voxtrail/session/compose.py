"""From each label's logits to one label map in which drawn masks stand unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box, triple
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.preprocess import around_prompts
from voxtrail.propagate.stack import DRAWN_LOGIT

#: What a person drew on a voxel outvotes every prediction for it.
DRAWN_VOTE = 1e4
#: Fused logits of voxels that no pass visited.
UNVISITED_LOGIT = -10.0

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LabelLogits:
    """One label's fused mask logits in a box of the scan.

    Parameters
    ----------
    box
        Where they lie, RAS+ voxels.
    logits
        (i, j, k) float32 in RAS+ order, the box' own shape; above 0 is inside.
    """

    box: Box
    logits: FloatArray


def impose_drawn(logits: dict[int, LabelLogits], prompts: Prompts, volume: Volume) -> None:
    """Write every drawn mask into its label's logits, so that it comes back unchanged.

    A voxel that one mask holds and a crossing one leaves out counts as drawn.
    """
    shape = volume.grid.shape
    for label, found in logits.items():
        masks = prompts.masks(label)
        box = found.box
        for prompt in masks:
            box = box.joined(_slice_box(prompt, shape))
        widened = np.full(box.shape, UNVISITED_LOGIT, dtype=np.float32)
        widened[offset(found.box, box)] = found.logits
        for prompt in masks:
            _slice_of(widened, box, prompt)[:] = -DRAWN_LOGIT
        for prompt in masks:
            _slice_of(widened, box, prompt)[_mask_in(box, prompt, shape)] = DRAWN_LOGIT
        logits[label] = LabelLogits(box, widened)


def _slice_box(prompt: MaskPrompt, shape: Sequence[int]) -> Box:
    """Return the box of one drawn mask (of the pixel at its centre where it is empty)."""
    if prompt.mask.any():
        return around_prompts([prompt], shape, (1.0, 1.0, 1.0), 0.0)
    middle = tuple(size // 2 for size in shape)
    return Box(
        (middle[0], middle[1], middle[2]), (middle[0] + 1, middle[1] + 1, middle[2] + 1)
    ).with_range(prompt.axis, prompt.slice_index, prompt.slice_index + 1)


def compete(logits: dict[int, LabelLogits], prompts: Prompts, volume: Volume) -> LabelMap:
    """Give each voxel the label with the highest logit above 0.

    A voxel that was drawn goes to the label that drew it; where several did, to the one that drew
    least: a tumour inside a liver stays.
    """
    shape = volume.grid.shape
    kind = np.uint8 if max(logits) <= np.iinfo(np.uint8).max else np.uint16
    # In the order of files, i the fastest: written straight through.
    labels = np.zeros(shape, dtype=kind, order="F")
    before: list[LabelLogits] = []
    drawn = {label: sum(int(one.mask.sum()) for one in prompts.masks(label)) for label in logits}
    for label in sorted(logits, key=lambda label: (drawn[label], label)):
        found = logits[label]
        here = found.box.slices
        votes = found.logits.copy()
        for prompt in prompts.masks(label):
            _slice_of(votes, found.box, prompt)[_mask_in(found.box, prompt, shape)] = DRAWN_VOTE
        wins = votes > _greatest(before, found.box)
        labels[here][wins] = label
        before.append(LabelLogits(found.box, votes))
    names = {label: prompts.names[label] for label in logits if label in prompts.names}
    return LabelMap(labels, volume.stored, names, volume.provenance)


def _greatest(votes: Sequence[LabelLogits], box: Box) -> FloatArray:
    """Return the greatest of some votes in a box, at least 0; a large scan's would not fit."""
    greatest = np.zeros(box.shape, dtype=np.float32)
    for one in votes:
        start = tuple(map(max, one.box.start, box.start))
        stop = tuple(map(min, one.box.stop, box.stop))
        if all(low < high for low, high in zip(start, stop, strict=True)):
            shared = Box(triple(start), triple(stop))
            here = greatest[offset(shared, box)]
            np.maximum(here, one.logits[offset(shared, one.box)], out=here)
    return greatest


def _slice_of(values: FloatArray, box: Box, prompt: MaskPrompt) -> FloatArray:
    """Return a view of a mask's slice (rows, columns) in RAS+ values that fill a box."""
    view: FloatArray = prompt.axis.to_stack(values)[
        prompt.slice_index - box.start[prompt.axis.value]
    ]
    return view


def _mask_in(box: Box, prompt: MaskPrompt, shape: Sequence[int]) -> NDArray[np.bool_]:
    """Return the part of a drawn mask that lies in a box."""
    _, rows, columns = box.in_stack(prompt.axis, shape)
    return prompt.mask[rows, columns]


def offset(inner: Box, outer: Box) -> tuple[slice, slice, slice]:
    """Return what cuts ``inner`` out of an array of ``outer``."""
    x, y, z = (
        slice(start - origin, stop - origin)
        for start, stop, origin in zip(inner.start, inner.stop, outer.start, strict=True)
    )
    return x, y, z
