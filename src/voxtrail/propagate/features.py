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
        #: Chunks whose features were read.
        self._read: set[int] = set()

    @property
    def shape_hw(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self._stack.shape[1], self._stack.shape[2]

    def __len__(self) -> int:
        return len(self._stack)

    def __getitem__(self, index: int) -> Features:
        """Return the features of slice ``index``, encoding its chunk where they are not kept."""
        number, offset = divmod(index, CHUNK_SLICES)
        keys = self._keys_of(number)
        if number in self._read:
            features = self._cache.held(keys[offset])
            if features is not None:
                return features
        self._read.add(number)
        return self._cache.features(self._model, self._chunk(number), keys)[offset]

    def key(self, index: int) -> str:
        """Return what the features of slice ``index`` are known by, without encoding it."""
        number, offset = divmod(index, CHUNK_SLICES)
        return self._keys_of(number)[offset]

    def _chunk(self, number: int) -> NDArray[np.float32]:
        return self._stack[number * CHUNK_SLICES : (number + 1) * CHUNK_SLICES]

    def _keys_of(self, number: int) -> list[str]:
        if number not in self._keys:
            self._keys[number] = slice_keys(self._model, self._chunk(number))
        return self._keys[number]

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

    def key(self, index: int) -> str:
        """Return what the features of slice ``index`` of this part are known by."""
        return self._source.key(self._start + index)
