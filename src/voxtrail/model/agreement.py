"""How far the masks that a model weighed against each other agree: a sign of look-alikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Agreement:
    """The agreement of some masks, worked out when its ``float`` is asked for.

    Parameters
    ----------
    masks
        (k, h, w) bool in the runtime's own form.
    chosen
        Which of them was taken; likewise.
    to_array
        Brings masks from where the model runs.
    """

    masks: Any
    chosen: Any
    to_array: Callable[[Any], NDArray[np.generic]]

    def __float__(self) -> float:
        """Return it; waits for a GPU to have come this far."""
        return box_agreement(self.to_array(self.masks).astype(bool), int(self.chosen))


def box_agreement(masks: NDArray[np.bool_], chosen: int) -> float:
    """Return how little the box of the chosen mask grows by what another mask adds to it.

    Of each other mask that part is looked at which touches itself and is largest outside the
    chosen one; it is the IoU of the box around both with the box around the chosen one.

    Parameters
    ----------
    masks
        (k, h, w) bool.
    chosen
        Which of them was taken.

    Returns
    -------
    float
        The least of all others, 0 to 1; 1 where none adds anything, or nothing was taken.

    Notes
    -----
    Source: ``dam4sam_tracker.track`` of DAM4SAM, at the resolution of the mask decoder instead of
    the video's.

    Examples
    --------
    >>> masks = np.zeros((3, 8, 8), dtype=bool)
    >>> masks[:, :4, :4] = True  # all agree on 4 x 4 pixels
    >>> masks[1, :4, 6:] = True  # the second one sees something more, 2 pixels apart
    >>> box_agreement(masks, chosen=0)  # 4 x 4 of 4 x 8
    0.5
    """
    from scipy.ndimage import label

    taken = masks[chosen]
    if not taken.any():
        return 1.0
    least = 1.0
    for number, other in enumerate(masks):
        parts, count = label(other & ~taken, structure=np.ones((3, 3)))
        if number == chosen or not count:
            continue
        largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
        # One box holds the other, so that their IoU is a ratio of areas.
        least = min(least, _box_area(taken) / _box_area(taken | (parts == largest)))
    return least


def _box_area(mask: NDArray[np.bool_]) -> float:
    """Return the pixels of the box around a mask that is not empty."""
    sides = (np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1))
    return float(np.prod([side[-1] - side[0] + 1 for side in sides]))
