"""Things by their key: the last ones in memory, all of them in a folder where there is one."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from voxtrail.propagate.content_folder import Arrays, ContentFolder

Item = TypeVar("Item")


class ContentStore(Generic[Item]):
    """One kind of things.

    Parameters
    ----------
    kind
        What they are called in file names and notes.
    ram_items
        How many are kept in memory; the least recently used go first.
    folder, folder_bytes
        Where they are kept as files besides, and how much it may hold of them; see
        `ContentFolder`. None keeps none.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """

    def __init__(
        self,
        kind: str,
        ram_items: int,
        folder: str | os.PathLike[str] | None,
        folder_bytes: int,
    ) -> None:
        self._ram_items = ram_items
        self._held: OrderedDict[str, Item] = OrderedDict()
        self._files = None if folder is None else ContentFolder(folder, kind, folder_bytes)

    def __len__(self) -> int:
        """Return how many are held in memory."""
        return len(self._held)

    @property
    def notes(self) -> list[str]:
        """What a person should know, one line each."""
        return self._files.notes if self._files else []

    def held(self, key: str) -> Item | None:
        """Return what is in memory, or None."""
        if key not in self._held:
            return None
        self._held.move_to_end(key)
        return self._held[key]

    def find(self, key: str, unpack: Callable[[Arrays], Item]) -> Item | None:
        """Return what is in memory or in the folder, or None.

        ``unpack`` makes a thing of a file's arrays; `KeyError` if they are not its own.
        """
        if (item := self.held(key)) is not None:
            return item
        arrays = self._files.read(key) if self._files else None
        if arrays is None:
            return None
        try:
            return unpack(arrays)
        except KeyError:
            return None

    def hold(self, key: str, item: Item) -> None:
        """Keep a thing in memory."""
        self._held[key] = item
        self._held.move_to_end(key)
        while len(self._held) > self._ram_items:
            self._held.popitem(last=False)

    def write(self, key: str, item: Item, pack: Callable[[Item], Arrays]) -> None:
        """Keep a thing in the folder, if there is one; ``pack`` makes arrays of it."""
        if self._files:
            self._files.write(key, pack(item))
