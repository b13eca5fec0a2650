"""Voxels that lie in another file than their header: it may name one beside it, and no other."""

from __future__ import annotations

from pathlib import Path

from voxtrail.errors import ImageError

_QUOTE = 80


def sibling_data_file(header: Path, name: str) -> Path:
    """Return the file that a header names.

    A header that came from elsewhere could name any place: a private file, a device that never
    ends. So only plain names of ordinary files in its own folder are followed, ``./`` before them
    or not.

    Raises
    ------
    ImageError
        If it is another place, a list or pattern of files, or not there.
    """
    name = name.removeprefix("./")
    named = header.parent / name
    plain = bool(name) and name == Path(name).name and name.isprintable() and len(name) < 256
    if plain and "%" not in name and named.is_file():
        return named
    raise ImageError(
        f"{header} names voxels that are not beside it",
        received=repr(name)[:_QUOTE],
        accepted="one ordinary file in the header's own folder",
        remedy="put it there under the name that the header gives, or save both as one file",
    )
