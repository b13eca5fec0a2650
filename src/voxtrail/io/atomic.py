"""Outputs that appear whole or not at all.

Every writer of voxtrail, whatever it writes, calls `check_writable` before any work is done and
writes inside `replacing`. A killed process leaves the old file, or none, and at worst a hidden
temporary one beside it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxtrail.errors import OutputError

#: A path is quoted up to this many characters.
_QUOTE = 200


def check_writable(path: str | os.PathLike[str], force: bool = False) -> Path:
    """Refuse a place where a file cannot be put.

    Parameters
    ----------
    path
        The file to be written.
    force
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    OutputError
        If its folder is not there or not writable, or the file exists and ``force`` is not set.
    """
    place = Path(path)
    folder = place.parent
    try:
        place.lstat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise OutputError(
            "the output has a name that no file can have",
            received=f"{str(place)[:_QUOTE]} ({getattr(error, 'strerror', None) or error})",
            accepted="a name that the system takes, in an existing folder",
            remedy="choose another name",
        ) from error
    if not folder.is_dir():
        raise OutputError(
            "the output folder is not there",
            received=folder,
            accepted="an existing folder",
            remedy="create it first, or correct the path",
        )
    if place.is_dir():
        raise OutputError(
            "the output is a folder",
            received=place,
            accepted="the name of a file",
            remedy="name the file to write in it",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            "the output folder is not writable",
            received=folder,
            accepted="a folder that you may write to",
            remedy="choose another folder, or change its permissions",
        )
    if place.exists() and not force:
        raise OutputError(
            "the output exists",
            received=place,
            accepted="a name that is not taken",
            remedy="choose another name, or replace it with --force (force=True)",
        )
    return place


@contextmanager
def replacing(path: str | os.PathLike[str], force: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to; put it in the place of ``path`` when the block ends.

    The temporary file lies in the same folder, ends in the same suffix, and is removed if the
    block raises. It is flushed to the disk before it takes its place.

    Parameters
    ----------
    path
        The file to be written.
    force
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        Where the block writes its file.

    Raises
    ------
    OutputError
        As `check_writable`; also if the system refuses to write (a full disk).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     [entry.name for entry in Path(folder).iterdir()]
    ['note.txt']
    """
    place = check_writable(path, force)
    # The name ends like the real one: writers choose format and compression by it.
    temporary = place.parent / f".partial-{secrets.token_hex(6)}-{place.name}"
    try:
        yield temporary
        _flush(temporary)
        # Again: another process may have written it meanwhile.
        check_writable(place, force)
        temporary.replace(place)
        _flush(place.parent)
    except OSError as error:
        raise OutputError(
            f"{place} could not be written",
            received=error.strerror or str(error),
            accepted="a disk with room that takes the file",
            remedy="make room or choose another place",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
