"""The four calls through which the propagator uses a frozen SAM 2, whatever runs it.

Features, memories and pointers belong to the runtime that made them; nobody else looks inside. So
the propagator needs no PyTorch, and another runtime only has to make the same four calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.core.prompts import Prompt
from voxtrail.core.stopwatch import Stopwatch
from voxtrail.model.shortcuts import Shortcuts

#: What the runtime keeps of one slice after encoding it.
Features = Any
#: What the runtime keeps of one slice's mask for later slices to attend to.
SpatialMemory = Any
#: The object pointer: a vector that says what was segmented.
Pointer = Any


@dataclass(frozen=True, eq=False)
class SlicePrediction:
    """One segmented slice, in the runtime's own form.

    Parameters
    ----------
    logits
        Mask logits at a quarter of the input size; `SliceModel.masks` brings them to the slice.
    pointer
        The object pointer.
    predicted_iou
        The model's own estimate of the mask's IoU, about 0 to 1; 1 for a drawn mask. A number in
        the runtime's own form: to ask for its ``float`` waits for a GPU to have come this far.
    object_score
        Logit that the object is on the slice at all; likewise.
    prompted
        Whether the mask comes from a prompt: its memory is made of the binary mask.
    area
        Share of the slice's pixels that lie inside the mask, 0 to 1; a number in the runtime's
        own form.
    agreement
        How far the masks agree among which the model chose this one, 0 to 1; see
        `voxtrail.model.agreement.box_agreement`. Likewise; 1 where there was only one.
    """

    logits: Any
    pointer: Pointer
    predicted_iou: SupportsFloat
    object_score: SupportsFloat
    prompted: bool
    area: SupportsFloat
    agreement: SupportsFloat = 1.0


@dataclass(frozen=True, eq=False)
class Tracking:
    """What one slice of one label needs to be tracked.

    Parameters
    ----------
    features
        The slice's features.
    memories
        Spatial memories, each with the index of its temporal embedding.
    pointers
        Object pointers, each with its distance divided by the greatest distance that counts.
    """

    features: Features
    memories: tuple[tuple[SpatialMemory, int], ...]
    pointers: tuple[tuple[Pointer, float], ...]


class SliceModel(Protocol):
    """A frozen SAM 2 at a fixed input size."""

    @property
    def input_size(self) -> int:
        """Side of the square, in pixels, to which slices are resized."""

    @property
    def device(self) -> str:
        """Where it runs."""

    @property
    def runtime(self) -> str:
        """What runs it, as ``--runtime`` names it."""

    @property
    def shortcuts(self) -> Shortcuts:
        """Where it computes less than the reference."""

    @property
    def stopwatch(self) -> Stopwatch:
        """Seconds spent in each component since the model was made."""

    @property
    def fingerprint(self) -> str:
        """What features depend on besides the slice: weights, input size, runtime, precision."""

    @property
    def memory_spec(self) -> MemorySpec:
        """What its memory has room for."""

    def encode(self, slices: NDArray[np.float32]) -> list[Features]:
        """Encode slices: (n, rows, columns) float32, 0 to 1. Returns one item a slice."""

    def pack(self, features: Features) -> dict[str, NDArray[np.generic]]:
        """Return one slice's features as arrays, to be written to a file."""

    def unpack(self, arrays: Mapping[str, NDArray[np.generic]]) -> Features:
        """Return the features that `pack` made arrays of; `KeyError` if one is missing."""

    def to_array(self, tensor: Any) -> NDArray[np.generic]:
        """Return logits, a pointer or a spatial memory as an array, bfloat16 as its 16 bits."""

    def from_array(self, array: NDArray[np.generic]) -> Any:
        """Return what `to_array` made an array of."""

    def prompt(
        self,
        features: Features,
        prompts: Sequence[Prompt],
        shape_hw: tuple[int, int],
        *,
        previous: SlicePrediction | None = None,
        tracking: Tracking | None = None,
    ) -> SlicePrediction:
        """Segment a slice from what was drawn on it.

        A mask by itself is taken unchanged, whatever was predicted before. A box and clicks are
        given to the mask decoder together; clicks beside a mask correct it.

        Parameters
        ----------
        features
            The slice's features.
        prompts
            All that was drawn on the slice for one label: at most one mask, at most one box, any
            clicks; in the frame of the slice that was encoded. A mask has ``shape_hw``.
        shape_hw
            Rows and columns of that slice.
        previous
            What was predicted on this slice before the last clicks, whose logits the decoder
            corrects. None takes the mask among ``prompts``, if there is one.
        tracking
            What the slice attends to, where it was tracked before: clicks then correct its mask
            instead of starting over. None segments without any memory.

        Raises
        ------
        PromptError
            If there is no prompt, or more than one mask or box.

        Notes
        -----
        Source: ``SAM2VideoPredictor.add_new_points_or_box`` of PyPI sam2 1.1.0, called with all
        points of the slice each time. There a mask ends what was clicked before it, and clicks
        after a mask see it as the previous prediction, which is what happens here.
        """

    def track(self, trackings: Sequence[Tracking]) -> list[SlicePrediction]:
        """Segment slices from memories alone, several at once."""

    def hypotheses(self, trackings: Sequence[Tracking]) -> list[tuple[SlicePrediction, ...]]:
        """Segment slices as `track` does, keeping all masks among which it chooses.

        One tuple a slice, in the decoder's order: three masks of SAM 2, each with its own pointer
        and predicted IoU. The object score is of the slice, and the same.
        """

    def memorise(
        self, features: Sequence[Features], predictions: Sequence[SlicePrediction]
    ) -> list[SpatialMemory]:
        """Make the spatial memories of segmented slices."""

    def likeness(
        self, memory: SpatialMemory, others: Sequence[SpatialMemory]
    ) -> Sequence[SupportsFloat]:
        """Return how alike a spatial memory is to each of some others.

        It is the cosine of what is remembered at a place, averaged over places: 1 for the same,
        about 0 for unlike ones. A number in the runtime's own form.
        """

    def weighted(self, memory: SpatialMemory, weight: float) -> SpatialMemory:
        """Return a spatial memory whose values are multiplied by a weight."""

    def masks(
        self, predictions: Sequence[SlicePrediction], shape_hw: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Return mask logits (n, rows, columns) float32 at the size of the slices."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model with what a run's record says of it.

    Parameters
    ----------
    model
        Ready to segment.
    name
        What was asked for.
    source
        The file or folder that the weights came from.
    sha256
        Checksum of the weights file.
    parity
        Where an export that was made by itself runs in the place of PyTorch, the greatest error of
        what it computes, as a share of the values (`voxtrail.export.parity`).
    notes
        What a person should know of how it was loaded.
    """

    model: SliceModel
    name: str
    source: str
    sha256: str
    parity: float | None = None
    notes: tuple[str, ...] = ()
