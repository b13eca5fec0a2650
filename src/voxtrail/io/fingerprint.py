"""What tells whether an input is still the one that a result was made from."""

from __future__ import annotations

import hashlib
from pathlib import Path

from voxtrail.errors import ImageError
from voxtrail.io.itk import metaimage_header, nrrd_header


def fingerprint(path: Path, part: str | None = None) -> str:
    """Return the SHA-256 of a file's bytes, or of those of all files in a folder.

    Names count in a folder, since they are part of what it holds; nothing else of a file (dates,
    owner) does. Of a header whose voxels lie apart, the files that it names count too. What is not
    there has the fingerprint of nothing.

    Parameters
    ----------
    path
        A file or a folder.
    part
        Which part of it was read, where it holds several: it counts too.
    """
    whole = _of_all(path)
    return whole if part is None else hashlib.sha256(f"{whole}\0{part}".encode()).hexdigest()


def _of_all(path: Path) -> str:
    total = hashlib.sha256()
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file())
    else:
        files = [path, *_named_by(path)] if path.is_file() else []
    if files == [path]:
        return _of_file(path)
    for one in files:
        total.update(f"{one.relative_to(path.parent).as_posix()}\0{_of_file(one)}\n".encode())
    return total.hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named_by(path: Path) -> list[Path]:
    """Return the other files that a header names for its voxels; none where it cannot be read."""
    name = path.name.lower()
    try:
        if name.endswith(".mhd"):
            named = metaimage_header.data_files(path)
        elif name.endswith(".nhdr"):
            named = nrrd_header.data_files(path)
        else:
            return []
    except (ImageError, OSError, ValueError):
        return []
    return [one for one in named if one != path]
