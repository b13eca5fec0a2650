"""Encoded slices by content: the last ones in memory, all of them in a folder where one is given.

A slice is known by the bytes that the model sees of it and by the model's fingerprint. So
variants of a run that share crop and preprocessing share encodings, a second run after a
corrected outline encodes nothing anew, and nobody has to say what equals what.
"""

from __future__ import annotations

import hashlib
import os

import numpy as np
from numpy.typing import NDArray

from voxtrail.model.base import Features, SliceModel
from voxtrail.propagate.content_store import ContentStore

#: Slices kept in memory: 1 GiB of SAM 2's at 1024 pixels, 32 MiB of micro's at 256.
RAM_SLICES = 64
#: Bytes of features that a folder may hold.
FOLDER_BYTES = 32 * 2**30


class FeatureCache:
    """Features of slices, by content.

    Parameters
    ----------
    ram_slices
        How many slices are kept in memory; the least recently used go first.
    folder
        Where features are kept as files besides, one a slice, to be read by this run and later
        ones; see `ContentFolder`. None keeps none.
    folder_bytes
        How much the folder may hold.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """

    def __init__(
        self,
        ram_slices: int = RAM_SLICES,
        folder: str | os.PathLike[str] | None = None,
        folder_bytes: int = FOLDER_BYTES,
    ) -> None:
        self._store: ContentStore[Features] = ContentStore(
            "features", ram_slices, folder, folder_bytes
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

    def held(self, key: str) -> Features | None:
        """Return features that are in memory, or None."""
        return self._store.held(key)

    def features(
        self, model: SliceModel, slices: NDArray[np.float32], keys: list[str]
    ) -> list[Features]:
        """Return the features of slices, encoding in one call those that are not kept.

        Parameters
        ----------
        model
            What encodes them.
        slices
            (n, rows, columns) float32, 0 to 1.
        keys
            Their `slice_keys`.
        """
        found = {key: self._store.find(key, lambda arrays: model.unpack(arrays)) for key in keys}
        missing = {key: i for i, key in enumerate(keys) if found[key] is None}
        if missing:
            made = model.encode(slices[list(missing.values())])
            for key, features in zip(missing, made, strict=True):
                found[key] = features
                self._store.write(key, features, lambda one: model.pack(one))
        self.encoded += len(missing)
        self.reused += len(keys) - len(missing)
        for key in keys:
            self._store.hold(key, found[key])
        return [found[key] for key in keys]


def slice_keys(model: SliceModel, slices: NDArray[np.float32]) -> list[str]:
    """Return what each of the slices (n, rows, columns) is known by: 32 hexadecimal digits."""
    prefix = f"{model.fingerprint}|{slices.shape[1]}x{slices.shape[2]}|".encode()
    keys = []
    for one in slices:
        digest = hashlib.blake2b(prefix, digest_size=16)
        digest.update(np.ascontiguousarray(one, dtype=np.float32).tobytes())
        keys.append(digest.hexdigest())
    return keys
