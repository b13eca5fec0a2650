"""A stack's features, encoded when first asked for and kept within a budget."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from voxtrail.model.base import Features, SliceModel

#: Slices encoded together, and kept at most, so that long stacks do not fill memory.
CHUNK_SLICES = 16
KEPT_SLICES = 64


class FeatureSource:
    """Features of the slices of one stack.

    Parameters
    ----------
    model
        What encodes them.
    stack
        (slices, rows, columns) float32, 0 to 1.
    kept_slices
        How many slices' features are kept; the least recently used go first.
    """

    def __init__(
        self, model: SliceModel, stack: NDArray[np.float32], kept_slices: int = KEPT_SLICES
    ) -> None:
        self._model = model
        self._stack = stack
        self._kept = max(kept_slices, CHUNK_SLICES)
        self._features: OrderedDict[int, Features] = OrderedDict()

    @property
    def shape_hw(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self._stack.shape[1], self._stack.shape[2]

    def __len__(self) -> int:
        return len(self._stack)

    def __getitem__(self, index: int) -> Features:
        """Return the features of slice ``index``, encoding its chunk where they are not kept."""
        if index not in self._features:
            start = index // CHUNK_SLICES * CHUNK_SLICES
            chunk = self._stack[start : start + CHUNK_SLICES]
            for offset, features in enumerate(self._model.encode(chunk)):
                self._features[start + offset] = features
            while len(self._features) > self._kept:
                self._features.popitem(last=False)
        self._features.move_to_end(index)
        return self._features[index]

    def part(self, start: int, stop: int) -> FeaturePart:
        """Return slices ``start`` to ``stop`` as a source of its own that shares what is kept."""
        return FeaturePart(self, start, stop)


class FeaturePart:
    """Consecutive slices of a `FeatureSource`, numbered from 0.

    Parameters
    ----------
    source
        The whole.
    start, stop
        First slice, and one past the last.
    """

    def __init__(self, source: FeatureSource, start: int, stop: int) -> None:
        self._source = source
        self._start = start
        self._stop = stop

    @property
    def shape_hw(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self._source.shape_hw

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, index: int) -> Features:
        """Return the features of slice ``index`` of this part."""
        return self._source[self._start + index]
