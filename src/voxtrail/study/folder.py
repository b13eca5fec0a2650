"""Folders in which a study's files go."""

from __future__ import annotations

from pathlib import Path

from voxtrail.errors import OutputError


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
        raise OutputError(
            f"the folder {str(folder)[:200]} cannot be made",
            received=getattr(error, "strerror", None) or str(error),
            accepted="a folder, or a name that is free, on a disk with room",
            remedy="choose another with -o",
        ) from error
