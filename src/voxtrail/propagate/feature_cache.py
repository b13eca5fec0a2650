"""Encoded slices by content: the last ones in memory, all of them in a folder where one is given.

A slice is known by the bytes that the model sees of it and by the model's fingerprint. So
variants of a run that share crop and preprocessing share encodings, a second run after a
corrected outline encodes nothing anew, and nobody has to say what equals what.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import OutputError
from voxtrail.model.base import Features, SliceModel

#: Slices kept in memory: 1 GiB of SAM 2's at 1024 pixels, 32 MiB of micro's at 256.
RAM_SLICES = 64
#: Bytes that a folder may hold; the files longest unused go first.
FOLDER_BYTES = 32 * 2**30
SUFFIX = ".features.safetensors"


class FeatureCache:
    """Features of slices, by content.

    Parameters
    ----------
    ram_slices
        How many slices are kept in memory; the least recently used go first.
    folder
        Where features are kept as files besides, one a slice, to be read by this run and later
        ones; made where it is not there. None keeps none.
    folder_bytes
        How much the folder may hold.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.

    Notes
    -----
    Files are written whole or not at all, so several processes may share a folder. One that is
    damaged or has gone is encoded anew. A disk that takes no more ends the writing, not the run;
    `notes` says so.
    """

    def __init__(
        self,
        ram_slices: int = RAM_SLICES,
        folder: str | os.PathLike[str] | None = None,
        folder_bytes: int = FOLDER_BYTES,
    ) -> None:
        self._ram_slices = ram_slices
        self._held: OrderedDict[str, Features] = OrderedDict()
        self._folder = _prepared(Path(folder)) if folder is not None else None
        self._folder_bytes = folder_bytes
        self._sizes = _sizes_in(self._folder) if self._folder else OrderedDict[str, int]()
        #: Slices encoded, and slices found here instead.
        self.encoded = 0
        self.reused = 0
        #: What a person should know, one line each.
        self.notes: list[str] = []

    def __len__(self) -> int:
        """Return how many slices are held in memory."""
        return len(self._held)

    def held(self, key: str) -> Features | None:
        """Return features that are in memory, or None."""
        if key not in self._held:
            return None
        self._held.move_to_end(key)
        return self._held[key]

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
        found = {key: self._find(model, key) for key in keys}
        missing = {key: i for i, key in enumerate(keys) if found[key] is None}
        if missing:
            made = model.encode(slices[list(missing.values())])
            for key, features in zip(missing, made, strict=True):
                found[key] = features
                self._write(model, key, features)
        self.encoded += len(missing)
        self.reused += len(keys) - len(missing)
        for key in keys:
            self._hold(key, found[key])
        return [found[key] for key in keys]

    def _find(self, model: SliceModel, key: str) -> Features | None:
        if (features := self.held(key)) is not None:
            return features
        if self._folder is None or not (place := self._folder / f"{key}{SUFFIX}").is_file():
            return None
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            features = model.unpack(load_file(place))
            os.utime(place)  # used now: among the last to go
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
        self._sizes.pop(key, None)
        self._sizes[key] = place.stat().st_size
        return features

    def _hold(self, key: str, features: Features) -> None:
        self._held[key] = features
        self._held.move_to_end(key)
        while len(self._held) > self._ram_slices:
            self._held.popitem(last=False)

    def _write(self, model: SliceModel, key: str, features: Features) -> None:
        if self._folder is None or self.notes:
            return
        from safetensors.numpy import save

        # safetensors writes the bytes of arrays that are not contiguous in the wrong order.
        packed = {name: np.ascontiguousarray(one) for name, one in model.pack(features).items()}
        data = save(packed)
        self._make_room(len(data))
        place = self._folder / f"{key}{SUFFIX}"
        partial = self._folder / f".partial-{os.getpid()}-{key}"
        try:
            # Not flushed to the disk, unlike a result: what is lost is encoded again.
            partial.write_bytes(data)
            partial.replace(place)
        except OSError as error:
            partial.unlink(missing_ok=True)
            self.notes.append(f"the cache takes no more features: {error.strerror or error}")
            return
        self._sizes[key] = len(data)

    def _make_room(self, size: int) -> None:
        """Remove the files longest unused until ``size`` more bytes fit; another run may, too."""
        assert self._folder is not None
        while self._sizes and sum(self._sizes.values()) + size > self._folder_bytes:
            key, _ = self._sizes.popitem(last=False)
            (self._folder / f"{key}{SUFFIX}").unlink(missing_ok=True)


def slice_keys(model: SliceModel, slices: NDArray[np.float32]) -> list[str]:
    """Return what each of the slices (n, rows, columns) is known by: 32 hexadecimal digits."""
    prefix = f"{model.fingerprint}|{slices.shape[1]}x{slices.shape[2]}|".encode()
    keys = []
    for one in slices:
        digest = hashlib.blake2b(prefix, digest_size=16)
        digest.update(np.ascontiguousarray(one, dtype=np.float32).tobytes())
        keys.append(digest.hexdigest())
    return keys


def _prepared(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            "the cache folder cannot be made",
            received=f"{folder} ({error.strerror})",
            accepted="a folder, or a name for one in a folder that is there",
            remedy="name another with --cache",
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            "the cache folder is not writable",
            received=folder,
            accepted="a folder that you may write to",
            remedy="name another with --cache",
        )
    return folder


def _sizes_in(folder: Path) -> OrderedDict[str, int]:
    """Return the bytes of a folder's files by key, the longest unused first."""
    found = []
    for place in folder.glob(f"*{SUFFIX}"):
        try:
            stat = place.stat()
        except FileNotFoundError:  # another run made room
            continue
        found.append((stat.st_mtime_ns, place.name.removesuffix(SUFFIX), stat.st_size))
    return OrderedDict((key, size) for _, key, size in sorted(found))
