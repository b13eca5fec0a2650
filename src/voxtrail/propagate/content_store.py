"""Things by their key: the last ones in memory, and the rest in files where they are wanted again.

Memory is bounded in bytes. What falls out of it is dropped, or, while somebody has said that it
will be asked for again, laid down in a temporary folder that goes with the store. Where a folder
is given, everything is kept there for later runs as well.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Generic, TypeVar

from voxtrail.propagate.content_folder import Arrays, ContentFolder

Item = TypeVar("Item")

#: Share of the free disk that things waiting in the temporary folder may take.
WAITING_SHARE = 0.5


@dataclass(frozen=True)
class Coding(Generic[Item]):
    """How a thing becomes arrays and comes back; ``unpack`` raises `KeyError` at others' arrays."""

    pack: Callable[[Item], Arrays]
    unpack: Callable[[Arrays], Item]


class ContentStore(Generic[Item]):
    """One kind of things.

    Parameters
    ----------
    kind
        What they are called in file names and notes.
    ram_bytes
        How many bytes are held in memory; the least recently used go first, those that nobody
        expects before the others.
    folder, folder_bytes
        Where things are kept as files besides, and how much it may hold of them; see
        `ContentFolder`. None keeps none.
    keep
        Whether what falls out of memory is laid down although nobody is known to expect it.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """

    def __init__(
        self,
        kind: str,
        *,
        ram_bytes: int,
        folder: str | os.PathLike[str] | None,
        folder_bytes: int,
        keep: bool = False,
    ) -> None:
        self._kind = kind
        self._ram_bytes = ram_bytes
        self._held: OrderedDict[str, tuple[Item, int, Coding[Item]]] = OrderedDict()
        self._held_bytes = 0
        self._expected: Counter[str] = Counter()
        self._files = None if folder is None else ContentFolder(folder, kind, folder_bytes)
        self._keep = keep
        self._waiting: ContentFolder | None = None

    def __len__(self) -> int:
        """Return how many are held in memory."""
        return len(self._held)

    @property
    def notes(self) -> list[str]:
        """What a person should know, one line each."""
        return [note for files in (self._files, self._waiting) if files for note in files.notes]

    def expect(self, keys: Iterable[str]) -> None:
        """Say that each of these will be asked for once more, a key as often as it stands here."""
        self._expected.update(keys)

    def release(self, key: str) -> None:
        """Say that a thing that was expected has been asked for."""
        if self._expected[key] > 1:
            self._expected[key] -= 1
        else:
            del self._expected[key]

    def find(self, key: str, coding: Coding[Item]) -> Item | None:
        """Return what is in memory or in a file, or None."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][0]
        for files in (self._files, self._waiting):
            arrays = files.read(key) if files else None
            if arrays is None:
                continue
            try:
                item = coding.unpack(arrays)
            except KeyError:
                continue
            self._hold(key, item, coding)
            return item
        return None

    def put(self, key: str, item: Item, coding: Coding[Item]) -> None:
        """Keep a thing that was made."""
        self._hold(key, item, coding)
        if self._files:
            self._files.write(key, coding.pack(item))

    def _hold(self, key: str, item: Item, coding: Coding[Item]) -> None:
        size = bytes_of(item)
        self._drop(key)
        self._held[key] = item, size, coding
        self._held_bytes += size
        while self._held_bytes > self._ram_bytes and self._held:
            unexpected = (one for one in self._held if one not in self._expected)
            oldest = next(unexpected, next(iter(self._held)))
            self._lay_down(oldest)
            self._drop(oldest)

    def _drop(self, key: str) -> None:
        size = self._held.pop(key)[1] if key in self._held else 0
        self._held_bytes -= size

    def _lay_down(self, key: str) -> None:
        """Write what falls out of memory to the temporary folder if it is wanted again."""
        if self._files or not (self._keep or key in self._expected):
            return
        if self._waiting is None:
            folder = tempfile.mkdtemp(prefix="voxtrail-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            room = int(shutil.disk_usage(folder).free * WAITING_SHARE)
            self._waiting = ContentFolder(folder, self._kind, room)
        if not self._waiting.holds(key):
            item, _, coding = self._held[key]
            self._waiting.write(key, coding.pack(item))


def bytes_of(item: Any) -> int:
    """Return the bytes of the arrays or tensors in a thing: a dataclass, a tuple or one of them."""
    if is_dataclass(item):
        return sum(bytes_of(getattr(item, field.name)) for field in fields(item))
    if isinstance(item, tuple):
        return sum(bytes_of(one) for one in item)
    return int(getattr(item, "nbytes", 0))
