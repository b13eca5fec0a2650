"""What is done with a slice's prompts, whatever runs the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import Prompt
from voxtrail.model.base import Features, SlicePrediction, Tracking
from voxtrail.model.conventions import PREVIOUS_LIMIT, BestOfThree
from voxtrail.model.gathered_prompts import GatheredPrompts


class PromptReader(ABC):
    """The part of a `SliceModel` that reads prompts, over three things that its runtime does."""

    #: When three masks are decoded and the best is taken.
    best_of_three: BestOfThree

    @property
    @abstractmethod
    def input_size(self) -> int:
        """Side of the square, in pixels, to which slices are resized."""

    def prompt(
        self,
        features: Features,
        prompts: Sequence[Prompt],
        shape_hw: tuple[int, int],
        *,
        previous: SlicePrediction | None = None,
        tracking: Tracking | None = None,
    ) -> SlicePrediction:
        """Segment a slice from what was drawn on it; see `voxtrail.model.base.SliceModel`."""
        drawn = GatheredPrompts.of(prompts)
        outline = None if drawn.mask is None else self._outline(drawn.mask)
        if outline is not None and not drawn.labels:
            return self._outlined(features, *outline)
        if previous is not None:
            corrected = previous.logits
        else:
            corrected = None if outline is None else outline[1]
        rows, columns = shape_hw
        # The reference divides by the slice's size and multiplies by the input's.
        scale = np.array([self.input_size / columns, self.input_size / rows], dtype=np.float32)
        return self._pointed(
            features,
            np.array(drawn.points_xy, dtype=np.float32) * scale,
            np.array(drawn.labels, dtype=np.int64),
            None if corrected is None else corrected.clip(-PREVIOUS_LIMIT, PREVIOUS_LIMIT),
            tracking,
            self.best_of_three.applies(len(drawn.labels), tracked=tracking is not None),
        )

    @abstractmethod
    def _outline(self, drawn: NDArray[np.bool_]) -> tuple[Any, Any]:
        """Return a drawn mask as the network takes it, 0 and 1, and as logits of its own size."""

    @abstractmethod
    def _outlined(self, features: Features, mask: Any, logits: Any) -> SlicePrediction:
        """Take a mask as it is; what `_outline` returned."""

    @abstractmethod
    def _pointed(
        self,
        features: Features,
        points: NDArray[np.float32],
        labels: NDArray[np.int64],
        corrected: Any,
        tracking: Tracking | None,
        multimask: bool,
    ) -> SlicePrediction:
        """Decode points (k, 2), pixels of the input, with their labels (k,).

        ``corrected`` are the logits of the mask that they correct, or None; ``multimask`` tells
        whether the best of three masks is taken.
        """
