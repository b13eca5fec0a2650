"""From what passes found of one label to its logits in a box: directions, axes, shape prior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.crop_path import CropPath
from voxtrail.core.prompts import Prompts
from voxtrail.fuse import Fusion
from voxtrail.propagate.stack import PassLogits, StackLogits
from voxtrail.session.compose import UNVISITED_LOGIT

FloatArray = NDArray[np.float32]
Mask = NDArray[np.bool_]
#: Where a stack's slices lie, and what was found in them.
Found = tuple[CropPath, StackLogits]


def combined(found: Sequence[Found], fusion: Fusion, box: Box) -> FloatArray:
    """Return the logits of all passes and axes as one: (i, j, k) float32, RAS+, of a box.

    Voxels that no pass visited have `UNVISITED_LOGIT`.
    """
    total = np.zeros(box.shape, dtype=np.float32)
    count = np.zeros(box.shape, dtype=np.uint8)
    for path, result in found:
        for logits, said in readings(result):
            embedded = fusion.embed(logits)
            embedded[~said] = 0.0
            path.add(embedded, total, box)
            path.add(np.broadcast_to(said[:, None, None], logits.shape), count, box)
    fused = fusion.combine(total, np.maximum(count, 1))
    fused[count == 0] = UNVISITED_LOGIT
    return fused


def readings(result: StackLogits) -> Iterator[tuple[FloatArray, Mask]]:
    """Yield (logits, which slices they say something about) of each pass, drawn ones once."""
    passes = result.passes or (_nothing_tracked(result),)
    # Copies: what the propagator returned is not written to.
    logits, said = passes[0].logits.copy(), passes[0].visited.copy()
    for index, drawn in result.drawn.items():
        logits[index] = drawn
        said[index] = True
    yield logits, said
    for item in passes[1:]:
        yield item.logits, item.visited


def outlines_in(
    prompts: Prompts, label: int, axes: Sequence[Axis], box: Box, shape: Sequence[int]
) -> dict[Axis, dict[int, Mask]]:
    """Return a label's drawn masks by axis and slice, numbered and cut as a box' stacks.

    Of outlines beyond the box, numbers are below 0 or too high.
    """
    outlines: dict[Axis, dict[int, Mask]] = {axis: {} for axis in axes}
    for mask in prompts.masks(label):
        if mask.axis in outlines:
            slices, rows, columns = box.in_stack(mask.axis, shape)
            outlines[mask.axis][mask.slice_index - slices.start] = mask.mask[rows, columns]
    return outlines


def without(
    outlines: Mapping[Axis, Mapping[int, Mask]], axis: Axis, index: int
) -> dict[Axis, dict[int, Mask]]:
    """Return the outlines less one."""
    return {
        of: {at: mask for at, mask in drawn.items() if (of, at) != (axis, index)}
        for of, drawn in outlines.items()
    }


def _nothing_tracked(result: StackLogits) -> PassLogits:
    """Return the pass of a stack that has drawn slices only."""
    slices, shape = max(result.drawn) + 1, next(iter(result.drawn.values())).shape
    return PassLogits(
        np.zeros((slices, *shape), dtype=np.float32),
        np.zeros(slices, dtype=np.bool_),
        np.full(slices, np.nan, dtype=np.float32),
        tracked=0,
        stopped_at=None,
    )
