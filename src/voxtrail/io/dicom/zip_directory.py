"""How long a zip's list of members is, found out before it is read.

`zipfile` parses the whole list when it opens a zip, each entry of which becomes an object.
Source: PKWARE's APPNOTE.TXT, 4.3.14 to 4.3.16 (the records at a zip's end).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

from voxtrail.errors import ImageError

#: The list may take so many bytes an entry: 46, its name, and times and sizes in an extra field.
_BYTES_AN_ENTRY = 256

_END = struct.Struct("<4s4xHHLLH")  # mark, entries on this disk, entries, bytes, offset, comment
_LOCATOR = struct.Struct("<4s4xQ4x")  # mark, offset of the record that follows
_END64 = struct.Struct("<4s20xQQQQ")  # mark, entries on this disk, entries, bytes, offset
_END_MARK, _LOCATOR_MARK, _END64_MARK = b"PK\5\6", b"PK\6\7", b"PK\6\6"

#: A comment of at most this many bytes may follow the record at the end.
_COMMENT = 2**16


def refuse_long_directory(path: Path, max_entries: int) -> None:
    """Refuse a zip whose list of members would take too much memory.

    Parameters
    ----------
    path
        The zip; one without a list is left for `zipfile` to refuse.
    max_entries
        The most members that it may have.

    Raises
    ------
    ImageError
        If the list is longer than so many members need.
    """
    with path.open("rb") as file:
        stated = _stated_bytes(file, path.stat().st_size)
    if stated > max_entries * _BYTES_AN_ENTRY:
        raise ImageError(
            f"{path} lists too many members",
            received=f"a list of {stated} bytes",
            accepted=f"at most {max_entries * _BYTES_AN_ENTRY}, for {max_entries} files",
            remedy="pack one study, or pass its folder",
        )


def _stated_bytes(file: IO[bytes], size: int) -> int:
    """Return how long the list is, as the record at the end says that `zipfile` goes by."""
    start = max(size - _COMMENT - _END.size, 0)
    tail = _at(file, start, size - start)
    # The last mark, unless a record without a comment ends the file.
    place = len(tail) - _END.size
    if place < 0 or tail[place : place + 4] != _END_MARK or tail[-2:] != b"\0\0":
        place = tail.rfind(_END_MARK, 0, max(place, 0) + 4)
    if place < 0:
        return 0
    stated = int(_END.unpack_from(tail, place)[3])
    locator = start + place - _LOCATOR.size
    mark, offset = _LOCATOR.unpack(_at(file, locator, _LOCATOR.size).ljust(_LOCATOR.size, b"\0"))
    if mark != _LOCATOR_MARK:
        return stated
    # Some versions of `zipfile` look before the locator, some where it says.
    long = [_at(file, place, _END64.size) for place in (locator - _END64.size, offset)]
    found = [
        int(_END64.unpack(record)[3])
        for record in long
        if record.startswith(_END64_MARK) and len(record) == _END64.size
    ]
    return max(found, default=stated)


def _at(file: IO[bytes], place: int, size: int) -> bytes:
    """Return bytes of a file, fewer or none where it has no more."""
    if not 0 <= place < 2**63:
        return b""
    file.seek(place)
    return file.read(size)
