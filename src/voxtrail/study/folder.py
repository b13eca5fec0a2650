"""Folders in which a study's files go."""

from __future__ import annotations

import os
from errno import ENOTDIR
from pathlib import Path

from voxtrail.errors import OutputError

#: A path is quoted up to this many characters.
_QUOTE = 200


def check_folder(folder: Path) -> None:
    """Refuse, before any work, a folder that can neither be used nor be made.

    Raises
    ------
    OutputError
        If a part of its path is no folder, or has a name that none can have.
    """
    for place in (folder, *folder.parents):
        try:
            place.lstat()
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise _no_folder(folder, error) from error
        if not place.is_dir():
            raise _no_folder(folder, NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR)))
        return


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _no_folder(folder, error) from error


def _no_folder(folder: Path, error: Exception) -> OutputError:
    return OutputError(
        f"the folder {str(folder)[:_QUOTE]} cannot be made",
        received=getattr(error, "strerror", None) or str(error),
        accepted="a folder, or a name that is free, on a disk with room",
        remedy="choose another",
    )
