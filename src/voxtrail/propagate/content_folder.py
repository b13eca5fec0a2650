"""Arrays in files that are named by their content's key: one kind of thing, bounded in bytes.

Who keeps what here is `FeatureCache` and `PredictionCache`. Files are written whole or not at all,
so several processes may share a folder. They are read by mapping them, so what is read takes no
memory that the system cannot take back.
"""

from __future__ import annotations

import json
import mmap
import os
from collections import OrderedDict
from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import OutputError

Arrays = Mapping[str, NDArray[np.generic]]

#: Number types that are kept, as safetensors calls them.
_TYPES = {"F32": np.float32, "F64": np.float64, "U16": np.uint16}


class ContentFolder:
    """One kind of content in a folder.

    Parameters
    ----------
    folder
        Where; made where it is not there.
    kind
        Comes before the files' suffix, and is named in `notes`.
    max_bytes
        How much of this kind the folder may hold; the files longest unused go first.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.

    Notes
    -----
    A file that is damaged or has gone counts as not there. A disk that takes no more ends the
    writing, not the run; `notes` says so.
    """

    def __init__(self, folder: str | os.PathLike[str], kind: str, max_bytes: int) -> None:
        self._folder = _prepared(Path(folder))
        self._kind = kind
        self._max_bytes = max_bytes
        self._sizes = self._sizes_there()
        #: What a person should know, one line each.
        self.notes: list[str] = []

    def place(self, key: str) -> Path:
        """Return the file of a key."""
        return self._folder / f"{key}.{self._kind}.safetensors"

    def holds(self, key: str) -> bool:
        """Tell whether a key's file was written or read here."""
        return key in self._sizes

    def read(self, key: str) -> Arrays | None:
        """Return what is kept under a key, mapped, or None."""
        place = self.place(key)
        try:
            arrays = _mapped(place)
            os.utime(place)  # used now: among the last to go
            size = place.stat().st_size
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        self._sizes.pop(key, None)
        self._sizes[key] = size
        return arrays

    def write(self, key: str, arrays: Arrays) -> None:
        """Keep arrays under a key."""
        if self.notes:
            return
        from safetensors.numpy import save

        # safetensors writes the bytes of arrays that are not contiguous in the wrong order.
        data = save({name: np.ascontiguousarray(one) for name, one in arrays.items()})
        self._make_room(len(data))
        partial = self._folder / f".partial-{os.getpid()}-{key}"
        try:
            # Not flushed to the disk, unlike a result: what is lost is made again.
            partial.write_bytes(data)
            partial.replace(self.place(key))
        except OSError as error:
            partial.unlink(missing_ok=True)
            self.notes.append(f"the cache takes no more {self._kind}: {error.strerror or error}")
            return
        self._sizes[key] = len(data)

    def _make_room(self, size: int) -> None:
        """Remove the files longest unused until ``size`` more bytes fit; another run may, too."""
        while self._sizes and sum(self._sizes.values()) + size > self._max_bytes:
            key, _ = self._sizes.popitem(last=False)
            self.place(key).unlink(missing_ok=True)

    def _sizes_there(self) -> OrderedDict[str, int]:
        """Return the bytes of the files by key, the longest unused first."""
        found = []
        for place in self._folder.glob(f"*.{self._kind}.safetensors"):
            try:
                stat = place.stat()
            except FileNotFoundError:  # another run made room
                continue
            found.append((stat.st_mtime_ns, place.name.partition(".")[0], stat.st_size))
        return OrderedDict((key, size) for _, key, size in sorted(found))


def _mapped(place: Path) -> dict[str, NDArray[np.generic]]:
    """Return a safetensors file's arrays without reading them; `ValueError` if it is damaged.

    Source: the format is 8 bytes of length, a JSON header of that length, and the arrays' bytes.
    (The package's own reader copies them.)
    """
    with place.open("rb") as file:
        # Private: arrays may be written to, which no runtime here does, and the file stays.
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    start = 8 + int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:start])
    arrays = {}
    for name, about in header.items():
        shape, (first, last) = about["shape"], about["data_offsets"]
        found: NDArray[np.generic] = np.frombuffer(
            whole, _TYPES[about["dtype"]], prod(shape), start + first
        )
        if found.nbytes != last - first:
            raise ValueError("an array of another length")
        arrays[name] = found.reshape(shape)
    return arrays


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
