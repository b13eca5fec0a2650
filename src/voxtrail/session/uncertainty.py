"""How unsure a label's voxels and slices are: what passes, axes and the shape prior think of them.

The witnesses of a voxel are the passes that visited it, and what became of them all when the shape
prior had its say. A voxel is unsure where the mean of their probabilities is near a half: because
each says so, or because they contradict one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.fuse import Fusion
from voxtrail.fuse.priors.base import gaps
from voxtrail.session.fusing import FloatArray, Found, Mask, readings
from voxtrail.session.quality import LabelQuality


def quality_of(
    found: Sequence[Found],
    fusion: Fusion,
    fused: FloatArray,
    box: Box,
    outlines: Mapping[Axis, Mapping[int, Mask]],
) -> LabelQuality:
    """Return how sure a label's mask is.

    Parameters
    ----------
    found, fusion, fused, box
        See `belief`.
    outlines
        What was drawn as masks, by axis and slice of the box (or beyond it); for all axes that
        count.
    """
    believed = belief(found, fusion, fused, box)
    unsure = unsureness(believed).astype(np.float16)
    sure: dict[Axis, dict[int, float]] = {}
    between: list[float] = []
    for axis, everywhere in outlines.items():
        stack = range(box.shape[axis.value])
        drawn = {index: mask for index, mask in everywhere.items() if index in stack}
        slices = confidence(believed, fused > 0, axis, drawn)
        axis.to_stack(unsure)[list(drawn)] = 0.0
        first = box.start[axis.value]
        sure[axis] = {first + index: float(one) for index, one in enumerate(slices)}
        if drawn:
            ends = range(min(drawn) + 1, max(drawn))
            between += [float(slices[index]) for index in ends if index not in drawn]
    estimates: dict[Axis, dict[int, float]] = {axis: {} for axis in outlines}
    for path, result in found:
        for one in result.passes:
            for index in np.flatnonzero(~np.isnan(one.predicted_iou)):
                known = estimates[path.axis].setdefault(path.first + int(index), 1.0)
                estimates[path.axis][path.first + int(index)] = min(
                    known, float(one.predicted_iou[index])
                )
    mean = float(np.mean(between)) if between else 1.0
    return LabelQuality(box, unsure, sure, estimates, mean)


def belief(found: Sequence[Found], fusion: Fusion, fused: FloatArray, box: Box) -> FloatArray:
    """Return the mean probability of all witnesses: (i, j, k) float32, 0 to 1, of a box.

    Parameters
    ----------
    found
        What each stack's passes found, and where.
    fusion
        Limits what one pass may say.
    fused
        (i, j, k) logits of the box after fusion and shape prior: one more witness.
    """
    total = probability(fused)
    count = np.ones(box.shape, dtype=np.uint8)
    for path, result in found:
        for logits, said in readings(result):
            told = probability(fusion.embed(logits))
            told[~said] = 0.0
            path.add(told, total, box)
            path.add(np.broadcast_to(said[:, None, None], logits.shape), count, box)
    total /= count
    return total


def unsureness(believed: FloatArray) -> FloatArray:
    """Return how unsure a mean probability is: 0 at 0 and 1, 1 at a half."""
    unsure: FloatArray = 1.0 - np.abs(2.0 * believed - 1.0)
    return unsure


def confidence(
    believed: FloatArray, mask: NDArray[np.bool_], axis: Axis, outlines: Mapping[int, Mask]
) -> FloatArray:
    """Return each slice's confidence: what share of its mask the witnesses expect to be right.

    Parameters
    ----------
    believed
        (i, j, k) mean probabilities of a box.
    mask
        (i, j, k) what was found there.
    axis
        The slicing direction.
    outlines
        What was drawn as masks on it, by slice of the box.

    Returns
    -------
    numpy.ndarray
        (slices,) float32, 0 to 1: the mean probability of the voxels of the slice's mask. 1 on
        outlined slices. Where nothing was found: 0 between two outlines, of which neither is
        empty, so that something must have been missed; 1 elsewhere.
    """
    masks = axis.to_stack(mask)
    voxels = masks.sum(axis=(1, 2))
    inside = np.where(masks, axis.to_stack(believed), 0.0).sum(axis=(1, 2))
    sure = np.where(voxels > 0, inside / np.maximum(voxels, 1), 1.0).astype(np.float32)
    for low, high in gaps(outlines, len(sure)):
        between = slice(low + 1, high)
        sure[between][voxels[between] == 0] = 0.0
    sure[list(outlines)] = 1.0
    return sure


def probability(logits: FloatArray) -> FloatArray:
    """Return logits as probabilities, a new array."""
    probabilities: FloatArray = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return probabilities
