"""A stack's features, encoded when first asked for, together with the slices that come next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voxtrail.model.base import Features, SliceModel
from voxtrail.model.conventions import ENCODE_PIXELS, ENCODE_PIXELS_GPU
from voxtrail.propagate.feature_cache import FeatureCache, slice_key


class Slices(Protocol):
    """Grey levels of a stack; an array (slices, rows, columns) float32, 0 to 1, is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Slices, rows and columns."""

    def __getitem__(self, index: int, /) -> NDArray[np.float32]:
        """Return slice ``index``: (rows, columns)."""


class FeatureSource:
    """Features of the slices of one stack; each slice is encoded once, whoever asks for it.

    Parameters
    ----------
    model
        What encodes them.
    slices
        The stack; read slice by slice.
    cache
        Where features are kept; one of its own where none is given.
    look_ahead
        Whether slices that will be asked for soon may be encoded with the one that is asked for:
        not where what is cut from them is still to be decided.
    """

    def __init__(
        self,
        model: SliceModel,
        slices: Slices,
        cache: FeatureCache | None = None,
        *,
        look_ahead: bool = True,
    ) -> None:
        self._look_ahead = look_ahead
        self._model = model
        self._slices = slices
        self._cache = FeatureCache() if cache is None else cache  # an empty one is false
        self._keys: dict[int, str] = {}
        #: Slices that were encoded here or counted as found.
        self._counted: set[int] = set()
        #: Slices that were encoded before anybody asked for them.
        self._ahead: set[int] = set()

    @property
    def shape_hw(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self._slices.shape[1], self._slices.shape[2]

    def __len__(self) -> int:
        return self._slices.shape[0]

    def key(self, index: int) -> str:
        """Return what the features of slice ``index`` are known by, without encoding it."""
        if index not in self._keys:
            self._keys[index] = slice_key(self._model, self._slices[index])
        return self._keys[index]

    def expect(self, indices: Iterable[int]) -> None:
        """Say that slices will be asked for, as often as they stand here; see `FeatureCache`."""
        self._cache.expect(self.key(index) for index in indices)

    def release(self, index: int) -> None:
        """Say that a slice that was expected has been asked for."""
        self._cache.release(self.key(index))

    def fetch(self, wanted: Sequence[int], upcoming: Iterable[int] = ()) -> list[Features]:
        """Return features of slices; those that are not kept are encoded in one call.

        Parameters
        ----------
        wanted
            Numbers of the slices.
        upcoming
            Slices that will be asked for soon, the next one first. Where something has to be
            encoded, as many of them go along as the model encodes in one go.
        """
        found = {index: self._kept(index) for index in dict.fromkeys(wanted)}
        missing = [index for index, features in found.items() if features is None]
        if missing:
            for index in dict.fromkeys(upcoming if self._look_ahead else ()):
                if len(missing) >= encoded_together(self._model):
                    break
                if index not in found and self._kept(index) is None:
                    missing.append(index)
                    self._ahead.add(index)
                    self.expect([index])
            made = self._cache.encode(
                self._model,
                [self._slices[index] for index in missing],
                [self.key(index) for index in missing],
            )
            found.update(zip(missing, made, strict=True))
            self._counted.update(missing)
        self._release_ahead(wanted)
        return [found[index] for index in wanted]

    def end(self) -> None:
        """Say that nobody will ask any more for what was encoded ahead."""
        self._release_ahead(self._ahead)

    def _release_ahead(self, indices: Iterable[int]) -> None:
        asked_for = self._ahead.intersection(indices)
        self._ahead -= asked_for
        for index in asked_for:
            self.release(index)

    def _kept(self, index: int) -> Features | None:
        features = self._cache.find(self._model, self.key(index))
        if features is not None and index not in self._counted:
            self._counted.add(index)
            self._cache.reused += 1
        return features

    def part(self, start: int, stop: int) -> FeaturePart:
        """Return slices ``start`` to ``stop`` as a stack of its own that shares what is kept."""
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
        self.source = source
        self.start = start
        self._stop = stop

    @property
    def shape_hw(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self.source.shape_hw

    def __len__(self) -> int:
        return self._stop - self.start

    def key(self, index: int) -> str:
        """Return what the features of slice ``index`` of this part are known by."""
        return self.source.key(self.start + index)


def encoded_together(model: SliceModel) -> int:
    """Return how many slices a model encodes in one go."""
    on_gpu = model.device.startswith("cuda")
    return max(1, (ENCODE_PIXELS_GPU if on_gpu else ENCODE_PIXELS) // model.input_size**2)
