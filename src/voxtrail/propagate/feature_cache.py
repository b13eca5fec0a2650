"""Encoded slices by content: the last ones in memory, all of them in a folder where one is given.

A slice is known by the bytes that the model sees of it and by the model's fingerprint. So
variants of a run that share crop and preprocessing share encodings, a second run after a
corrected outline encodes nothing anew, and nobody has to say what equals what.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.model.base import Features, SliceModel
from voxtrail.propagate.content_store import Coding, ContentStore

#: Bytes of features kept in memory: 64 slices of SAM 2's at 1024 pixels, 2,000 of micro's.
RAM_BYTES = 2**30
#: Bytes of features that a folder may hold.
FOLDER_BYTES = 32 * 2**30


class FeatureCache:
    """Features of slices of one model or several, by content.

    Parameters
    ----------
    ram_bytes, folder, folder_bytes, keep
        See `ContentStore`.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """

    def __init__(
        self,
        ram_bytes: int = RAM_BYTES,
        folder: str | os.PathLike[str] | None = None,
        folder_bytes: int = FOLDER_BYTES,
        *,
        keep: bool = False,
    ) -> None:
        self._store: ContentStore[Features] = ContentStore(
            "features", ram_bytes=ram_bytes, folder=folder, folder_bytes=folder_bytes, keep=keep
        )
        #: Slices encoded, and slices found here instead.
        self.encoded = 0
        self.reused = 0

    def __len__(self) -> int:
        """Return how many slices are held in memory."""
        return len(self._store)

    @property
    def notes(self) -> list[str]:
        """What a person should know, one line each."""
        return self._store.notes

    def expect(self, keys: Iterable[str]) -> None:
        """Say that slices will be asked for again; see `ContentStore.expect`."""
        self._store.expect(keys)

    def release(self, key: str) -> None:
        """Say that a slice that was expected has been asked for."""
        self._store.release(key)

    def find(self, model: SliceModel, key: str) -> Features | None:
        """Return the features of a slice where they are kept, or None."""
        return self._store.find(key, _coding(model))

    def encode(
        self, model: SliceModel, slices: Sequence[NDArray[np.float32]], keys: Sequence[str]
    ) -> list[Features]:
        """Encode slices in one call and keep their features.

        Parameters
        ----------
        model
            What encodes them.
        slices
            (rows, columns) float32 each, 0 to 1, of one size.
        keys
            Their `slice_key` each.
        """
        made = model.encode(np.stack(slices))
        self.encoded += len(made)
        for key, features in zip(keys, made, strict=True):
            self._store.put(key, features, _coding(model))
        return made


def slice_key(model: SliceModel, grey: NDArray[np.float32]) -> str:
    """Return what a slice (rows, columns) is known by: 32 hexadecimal digits."""
    prefix = f"{model.fingerprint}|{grey.shape[0]}x{grey.shape[1]}|".encode()
    digest = hashlib.blake2b(prefix, digest_size=16)
    digest.update(np.ascontiguousarray(grey, dtype=np.float32).tobytes())
    return digest.hexdigest()


def _coding(model: SliceModel) -> Coding[Features]:
    return Coding(lambda features: model.pack(features), lambda arrays: model.unpack(arrays))
