"""Voxels that lie in other files than their header: it may name some in its folder, and no other.

A header that came from elsewhere could name any place: a private file, a device that never ends.
So only ordinary files in its own folder and the folders in it are followed.
"""

from __future__ import annotations

import re
from pathlib import Path

from voxtrail.errors import ImageError

#: A name with a number in it, as C's `printf` writes it, and the whole numbers that follow. Any
#: other per cent sign would make that function read memory that it should not.
_PATTERN = re.compile(r"([^%]*%0?\d?[di][^%]*?)((?: +-?\d{1,6})*)")

#: More files than any scan has slices.
_MAX_FILES = 20_000

_QUOTE = 80


def sibling_data_file(header: Path, name: str) -> Path:
    """Return the file that a header names, relative to its own folder.

    Raises
    ------
    ImageError
        If it is another place, a pattern of files, or not there.
    """
    plain = bool(name) and name.isprintable() and len(name) < 256 and "%" not in name
    parts = Path(name).parts if plain else ()
    if plain and ".." not in parts and not Path(name).is_absolute():
        named = header.parent / name
        # A link from the folder could lead anywhere; one of a file is its owner's affair.
        inside = named.parent.resolve().is_relative_to(header.parent.resolve())
        if inside and named.is_file():
            return named
    raise _refused(header, name)


def numbered(text: str) -> tuple[str, list[int]] | None:
    """Return a pattern of names and the numbers that follow it; None where it is no pattern.

    Examples
    --------
    >>> numbered("slice%03d.raw 0 89 1")
    ('slice%03d.raw', [0, 89, 1])
    >>> numbered("100%.raw")
    """
    found = _PATTERN.fullmatch(text)
    return (found[1], [int(number) for number in found[2].split()]) if found else None


def sibling_data_files(header: Path, pattern: str, numbers: range) -> tuple[Path, ...]:
    """Return the files that a pattern stands for.

    Raises
    ------
    ImageError
        As `sibling_data_file`; or if there are more than any scan has slices.
    """
    if len(numbers) > _MAX_FILES:
        raise _refused(header, pattern)
    return tuple(sibling_data_file(header, pattern % number) for number in numbers)


def _refused(header: Path, name: str) -> ImageError:
    return ImageError(
        f"{header} names voxels that are not beside it",
        received=repr(name)[:_QUOTE],
        accepted=f"at most {_MAX_FILES} ordinary files in the header's own folder or folders in it",
        remedy="put them there under the names that the header gives, or save all as one file",
    )
