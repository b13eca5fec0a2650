"""What every runtime of SAM 2 agrees on besides the network itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from voxtrail.core.prompts import BoxPrompt, PointPrompt
from voxtrail.model.base import Tracking

Tracked = TypeVar("Tracked")

#: A drawn mask as logits: +10 inside, -10 outside.
MASK_LOGIT = 10.0
#: Logits of a mask that is fed back to the decoder are clipped to plus and minus this.
PREVIOUS_LIMIT = 32.0
#: Labels of the reference for a box's corners.
CORNER_LABELS = (2, 3)
#: Pixels encoded in one call: sixteen slices of 256 x 256, one of 1024 x 1024; a GPU is only busy
#: with more.
ENCODE_PIXELS = 1024 * 1024
ENCODE_PIXELS_GPU = 8 * ENCODE_PIXELS
#: What a slice's features are called in a file.
PACKED_NAMES = ("image_embedding", "stride4", "stride8")


@dataclass(frozen=True)
class BestOfThree:
    """When a model decodes three masks of a slice and takes the best, not the only one.

    Parameters
    ----------
    fewest, most
        From and up to so many clicks and corners of a box on the slice.
    tracked
        Whether on slices that attend to memories, too.
    """

    fewest: int
    most: int
    tracked: bool

    def applies(self, num_points: int, *, tracked: bool) -> bool:
        """Tell whether it does for a slice."""
        return self.fewest <= num_points <= self.most and (self.tracked or not tracked)


def points_of(prompt: BoxPrompt | PointPrompt) -> tuple[list[tuple[float, float]], list[int]]:
    """Return a box or clicks as the points and labels that SAM 2 embeds."""
    if isinstance(prompt, BoxPrompt):
        left, top, right, bottom = prompt.box_xyxy
        return [(left, top), (right, bottom)], list(CORNER_LABELS)
    return list(prompt.points_xy), [int(positive) for positive in prompt.positive]


def in_batches(
    trackings: Sequence[Tracking], track: Callable[[list[Tracking]], list[Tracked]]
) -> list[Tracked]:
    """Track slices, those with as many memories and pointers in one call; return them in order."""
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for position, tracking in enumerate(trackings):
        alike[len(tracking.memories), len(tracking.pointers)].append(position)
    predictions: dict[int, Tracked] = {}
    for positions in alike.values():
        batch = track([trackings[position] for position in positions])
        predictions.update(zip(positions, batch, strict=True))
    return [predictions[position] for position in range(len(trackings))]
