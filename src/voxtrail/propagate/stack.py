"""What goes into a propagation and what comes out of it: stacks, and the logits of their slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import MaskPrompt, Prompt
from voxtrail.propagate.bank import Recalled
from voxtrail.propagate.features import FeaturePart, FeatureSource

#: Logit of a drawn mask's pixels, and minus that of pixels known to be outside.
DRAWN_LOGIT = 10.0


@dataclass(frozen=True, eq=False)
class Stack:
    """One label's slices along one axis, ready to be propagated.

    Parameters
    ----------
    features
        The slices' features; several labels may share them.
    prompts
        What was drawn, by slice number in this stack, in the frame of its slices. On one slice
        there may be a mask or a box, and clicks that correct it.
    stop_when_gone
        Whether a pass ends, beyond the last prompt ahead of it, where the object is gone.
    """

    features: FeaturePart
    prompts: Mapping[int, Sequence[Prompt]]
    stop_when_gone: bool = False

    @classmethod
    def of(
        cls,
        source: FeatureSource,
        prompts: Mapping[int, Sequence[Prompt]],
        stop_when_gone: bool = False,
    ) -> Stack:
        """Return a whole source as a stack."""
        return cls(source.part(0, len(source)), prompts, stop_when_gone)


@dataclass(frozen=True, eq=False)
class SliceLogits:
    """One slice of one pass, just segmented.

    Parameters
    ----------
    stack
        Which of the stacks, from 0.
    slice_index
        Its number in the stack.
    logits
        (rows, columns) float32 mask logits; above 0 is inside.
    key
        What the prediction is known by; see `voxtrail.propagate.prediction_cache`.
    recalled
        What it attended to; None for a prompted slice.
    """

    stack: int
    slice_index: int
    logits: NDArray[np.float32]
    key: str
    recalled: Recalled | None


@dataclass(frozen=True, eq=False)
class PassLogits:
    """What one pass found.

    Parameters
    ----------
    logits
        (slices, rows, columns) float32 mask logits of the whole stack; above 0 is inside.
    visited
        (slices,) bool: the slices that this pass tracked, or left out because the object was gone
        before them; logits mean nothing elsewhere.
    predicted_iou
        (slices,) float32: the model's own estimate of each tracked mask's IoU, about 0 to 1; NaN
        where nothing was tracked.
    tracked
        Number of slices that went through the model.
    stopped_at
        The slice after which it stopped because the object was gone, or None.
    """

    logits: NDArray[np.float32]
    visited: NDArray[np.bool_]
    predicted_iou: NDArray[np.float32]
    tracked: int
    stopped_at: int | None


@dataclass(frozen=True, eq=False)
class StackLogits:
    """What was found in one stack.

    Parameters
    ----------
    drawn
        (rows, columns) float32 logits of each prompted slice: +-10 of a drawn mask, the model's
        own for a box or points.
    passes
        One a pass, in their order.
    """

    drawn: dict[int, NDArray[np.float32]]
    passes: tuple[PassLogits, ...]


def drawn_mask(prompts: Sequence[Prompt]) -> MaskPrompt | None:
    """Return the mask that was drawn on a slice and that nothing corrects, or None."""
    if len(prompts) == 1 and isinstance(prompts[0], MaskPrompt):
        return prompts[0]
    return None


def drawn_logits(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a drawn mask (any shape) as logits of +-10."""
    logits = np.full(mask.shape, -DRAWN_LOGIT, dtype=np.float32)
    logits[mask] = DRAWN_LOGIT
    return logits
