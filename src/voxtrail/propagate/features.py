"""A stack's features, encoded when first asked for, in chunks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxtrail.model.base import Features, SliceModel
from voxtrail.propagate.feature_cache import FeatureCache, slice_keys

#: Slices encoded together.
CHUNK_SLICES = 16


class FeatureSource:
    """Features of the slices of one stack.

    Parameters
    ----------
    model
        What encodes them.
    stack
        (slices, rows, columns) float32, 0 to 1.
    cache
        Where they are kept; one of its own where none is given.
    """

    def __init__(
        self, model: SliceModel, stack: NDArray[np.float32], cache: FeatureCache | None = None
    ) -> None:
        self._model = model
        self._stack = stack
        self._cache = FeatureCache() if cache is None else cache  # an empty one is false
        #: What the slices of each chunk that was asked for are known by in the cache.
        self._keys: dict[int, list[str]] = {}

    @property
    def shape_hw(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self._stack.shape[1], self._stack.shape[2]

    def __len__(self) -> int:
        return len(self._stack)

    def __getitem__(self, index: int) -> Features:
        """Return the features of slice ``index``, encoding its chunk where they are not kept."""
        number, offset = divmod(index, CHUNK_SLICES)
        if keys := self._keys.get(number):
            features = self._cache.held(keys[offset])
            if features is not None:
                return features
        chunk = self._stack[number * CHUNK_SLICES : (number + 1) * CHUNK_SLICES]
        if not keys:
            keys = self._keys[number] = slice_keys(self._model, chunk)
        return self._cache.features(self._model, chunk, keys)[offset]

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
