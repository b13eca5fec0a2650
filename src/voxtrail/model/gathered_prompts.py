"""What was drawn on one slice for one label, as SAM 2 takes it: a mask, and points with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt
from voxtrail.errors import PromptError
from voxtrail.model.conventions import points_of


@dataclass(frozen=True, eq=False)
class GatheredPrompts:
    """The prompts of one slice joined.

    Parameters
    ----------
    mask
        (rows, columns) bool, or None where no mask was drawn.
    points_xy
        (x, y) in pixels of the slice: a box's corners first, then clicks in the order given.
    labels
        One a point: 1 on the structure, 0 off it, 2 and 3 a box's corners.
    """

    mask: NDArray[np.bool_] | None
    points_xy: tuple[tuple[float, float], ...]
    labels: tuple[int, ...]

    @classmethod
    def of(cls, prompts: Sequence[Prompt]) -> GatheredPrompts:
        """Join the prompts of one slice.

        Raises
        ------
        PromptError
            If there is nothing, or more than one mask or box: SAM 2 takes one of each.

        Examples
        --------
        >>> from voxtrail.core.axis import Axis
        >>> box = BoxPrompt(1, Axis.AXIAL, 0, (2, 3, 9, 8))
        >>> click = PointPrompt(1, Axis.AXIAL, 0, ((4, 5),), (False,))
        >>> GatheredPrompts.of([click, box]).labels
        (2, 3, 0)
        """
        masks = [one for one in prompts if isinstance(one, MaskPrompt)]
        boxes = [one for one in prompts if isinstance(one, BoxPrompt)]
        clicks = [one for one in prompts if isinstance(one, PointPrompt)]
        if not prompts or len(masks) > 1 or len(boxes) > 1:
            raise PromptError(
                "these prompts cannot stand on one slice together",
                received=f"{len(masks)} masks, {len(boxes)} boxes, {len(clicks)} of clicks",
                accepted="at most one mask, at most one box, and any clicks",
                remedy="join the masks, or keep the last box",
            )
        found = [*map(points_of, boxes), *map(points_of, clicks)]
        return cls(
            masks[0].mask if masks else None,
            tuple(point for points, _ in found for point in points),
            tuple(label for _, labels in found for label in labels),
        )
