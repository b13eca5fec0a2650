"""The mask of one slice, at once: from boxes and clicks, and from memories where there are any.

As SAM 2's video predictor does it: clicks come one after another, each decoded together with the
logits that were there before it. On a slice that was tracked, those of the tracking are the first,
and the slice attends to the memories that it was tracked with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.crop_path import CropPath
from voxtrail.core.prompts import MaskPrompt, PointPrompt, Prompt
from voxtrail.model.base import Features, SliceModel, SlicePrediction, Tracking
from voxtrail.propagate.bank import Recalled
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.session.state import Place


@dataclass(frozen=True, eq=False)
class SlicePreview:
    """The mask that boxes and clicks give on one slice.

    Parameters
    ----------
    place
        Which label, axis and slice.
    mask
        (rows, columns) bool of the whole slice, in the frame of `Axis.to_stack`.
    predicted_iou
        The model's own estimate of the mask's IoU, about 0 to 1.
    from_memory
        Whether the slice attended to memories of a propagation.
    """

    place: Place
    mask: NDArray[np.bool_]
    predicted_iou: float
    from_memory: bool

    def as_prompt(self) -> MaskPrompt:
        """Return the mask as an outline, as if it had been drawn."""
        return MaskPrompt(self.place.label, self.place.axis, self.place.slice_index, self.mask)


@dataclass(frozen=True)
class TrackedSlice:
    """How a slice came about in the last propagation.

    Parameters
    ----------
    path
        Its window.
    key
        What its prediction is known by.
    memory_keys, pointer_keys
        What it attended to; see `voxtrail.propagate.bank.Recalled`.
    """

    path: CropPath
    key: str
    memory_keys: tuple[tuple[str, int], ...]
    pointer_keys: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, path: CropPath, key: str, recalled: Recalled) -> TrackedSlice:
        """Return what is kept of a tracked slice."""
        return cls(path, key, recalled.memory_keys, recalled.pointer_keys)


def refine(
    model: SliceModel,
    features: Features,
    prompts: Sequence[Prompt],
    shape_hw: tuple[int, int],
    *,
    tracked: SlicePrediction | None = None,
    tracking: Tracking | None = None,
) -> SlicePrediction:
    """Decode a slice's prompts, its clicks one after another.

    Parameters
    ----------
    model
        What decodes them.
    features
        The slice's features.
    prompts
        A mask or a box, and clicks, in the frame of the slice.
    shape_hw
        Rows and columns of the slice.
    tracked, tracking
        What was predicted of the slice from memories, and these; None for a slice that was not
        tracked.
    """
    first = [prompt for prompt in prompts if not isinstance(prompt, PointPrompt)]
    clicks = [prompt for prompt in prompts if isinstance(prompt, PointPrompt)]
    found = tracked
    if first:
        found = model.prompt(features, first, shape_hw, previous=found, tracking=tracking)
    for click in clicks:
        for count in range(1, len(click.points_xy) + 1):
            so_far = replace(
                click, points_xy=click.points_xy[:count], positive=click.positive[:count]
            )
            found = model.prompt(
                features, [*first, so_far], shape_hw, previous=found, tracking=tracking
            )
    assert found is not None  # there is a prompt
    return found


def recall_again(
    model: SliceModel, cache: PredictionCache, features: Features, slice_: TrackedSlice
) -> tuple[SlicePrediction, Tracking] | None:
    """Return a tracked slice's prediction and what it attended to, where all of it is kept."""
    predictions: Mapping[str, SlicePrediction | None] = {
        key: cache.find(model, key) for key, _ in slice_.pointer_keys
    }
    memories = [(cache.find_memory(model, key), slot) for key, slot in slice_.memory_keys]
    prediction = cache.find(model, slice_.key)
    if (
        prediction is None
        or any(memory is None for memory, _ in memories)
        or any(one is None for one in predictions.values())
    ):
        return None
    pointers = tuple(
        (one.pointer, distance)
        for key, distance in slice_.pointer_keys
        if (one := predictions[key]) is not None
    )
    return prediction, Tracking(features, tuple(memories), pointers)


def whole_slice(
    path: CropPath, logits: NDArray[np.float32], shape: Sequence[int]
) -> NDArray[np.bool_]:
    """Return the mask of a path of one slice as one of the whole slice; ``shape`` is the scan's."""
    mask = np.zeros((shape[path.axis.row_axis], shape[path.axis.column_axis]), dtype=np.bool_)
    mask[path.pixels(path.first, shape)] = logits > 0
    return mask
