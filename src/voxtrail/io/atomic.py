"""Outputs that appear whole or not at all.

Every writer of voxtrail, whatever it writes, calls `check_writable` before any work is done and
writes inside `replacing`, or `making_folder` where the output is a folder. A killed process leaves
the old file, or none, and at worst a hidden temporary one beside it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxtrail.errors import OutputError

#: A path is quoted up to this many characters.
_QUOTE = 200
#: A temporary file's name ends in so many characters of the real one's: any suffix.
_ENDING = 40


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
    # The name ends like the real one: writers choose format and compression by it. No more of it,
    # since the longest name that the system takes has no room for anything before it.
    temporary = place.parent / f".partial-{secrets.token_hex(6)}-{place.name[-_ENDING:]}"
    try:
        with _refusing(place, "file"):
            yield temporary
            _flush(temporary)
            # Again: another process may have written it meanwhile.
            check_writable(place, force)
            temporary.replace(place)
            _flush(place.parent)
    finally:
        temporary.unlink(missing_ok=True)


def check_new_folder(path: str | os.PathLike[str]) -> Path:
    """Refuse a place where a folder cannot be made.

    Raises
    ------
    OutputError
        If anything is there, or as `check_writable`.
    """
    place = Path(path)
    if os.path.isdir(place):
        raise OutputError(
            "the folder is there already",
            received=place,
            accepted="a free name in a folder that is there",
            remedy="name another, or remove what is there",
        )
    return check_writable(place)


@contextmanager
def making_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder to write to; put it in the place of ``path`` when the block ends.

    It lies beside that place, under a hidden name, and is removed if the block raises. Its files
    are flushed to the disk before it takes its place.

    Parameters
    ----------
    path
        The folder to be made.

    Yields
    ------
    Path
        Where the block writes its files.

    Raises
    ------
    OutputError
        As `check_new_folder`; also if the system refuses to write (a full disk).
    """
    place = check_new_folder(path)
    temporary = place.parent / f".partial-{secrets.token_hex(6)}"
    try:
        with _refusing(place, "folder"):
            temporary.mkdir()
            yield temporary
            for file in temporary.rglob("*"):
                _flush(file)
            temporary.rename(place)
            _flush(place.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _refusing(place: Path, kind: str) -> Iterator[None]:
    """Say in voxtrail's own terms that the system refused to write a file or folder."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{place} could not be written",
            received=error.strerror or str(error),
            accepted=f"a disk with room that takes the {kind}",
            remedy="make room or choose another place",
        ) from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
