"""Labels that may share voxels, in as few arrays as hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: What cuts a part out of an array.
Cut = tuple[int | slice, ...]


class LabelLayers:
    """Arrays of labels, to which labels are added one after another.

    Each label lies in one array alone: the first in which its voxels are free.

    Parameters
    ----------
    shape
        Of the arrays.

    Examples
    --------
    >>> layers = LabelLayers((4,))
    >>> layers.add(1, [((slice(0, 2),), np.array([True, True]))])
    >>> layers.add(2, [((slice(1, 3),), np.array([True, True]))])
    >>> layers.add(3, [((slice(3, 4),), np.array([True]))])
    >>> [layer.tolist() for layer in layers.arrays]
    [[1, 1, 0, 3], [0, 2, 2, 0]]
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self._shape = tuple(shape)
        self.arrays: list[NDArray[np.uint16]] = [np.zeros(self._shape, np.uint16)]

    def add(self, label: int, pieces: Sequence[tuple[Cut, NDArray[np.bool_]]]) -> None:
        """Add a label.

        Parameters
        ----------
        label
            Its number, which was not added before.
        pieces
            Where it is: what cuts out a part of the arrays, and a mask of that part's shape.
        """
        layer = next((one for one in self.arrays if _free(one, pieces)), None)
        if layer is None:
            layer = np.zeros(self._shape, np.uint16)
            self.arrays.append(layer)
        for cut, mask in pieces:
            part: Any = layer[cut]  # a view
            part[mask] = label


def _free(layer: NDArray[np.uint16], pieces: Sequence[tuple[Cut, NDArray[np.bool_]]]) -> bool:
    return not any(layer[cut][mask].any() for cut, mask in pieces)
