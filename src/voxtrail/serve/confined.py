"""A folder that nothing leaves: neither ``..``, nor absolute names, nor links."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from voxtrail.serve.failures import Refused


class Confined:
    """What clients may reach of the file system.

    Parameters
    ----------
    root
        The folder; links in its own path are followed once, here.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve(strict=True)

    def place(self, name: str) -> Path:
        """Return where a file or folder of the root lies, or would lie; links are followed.

        Parameters
        ----------
        name
            Relative to the root, with ``/`` between its parts; empty for the root itself.

        Raises
        ------
        Refused
            403 if it lies, or a link leads, outside.
        """
        asked = PurePosixPath(name)
        if asked.is_absolute() or ".." in asked.parts or "\0" in name or "\\" in name:
            raise self._outside(name)
        try:
            found = (self.root / asked).resolve()
        except (OSError, RuntimeError) as error:  # a circle of links, a name too long
            raise self._outside(name) from error
        if not found.is_relative_to(self.root):
            raise self._outside(name)
        return found

    def name(self, place: Path) -> str:
        """Return what a place below the root is called, with ``/`` between the parts."""
        relative = place.relative_to(self.root).as_posix()
        return "" if relative == "." else relative

    def _outside(self, name: str) -> Refused:
        return Refused(
            403,
            "this lies outside the folder that voxtrail was started in",
            received=name[:200],
            accepted="a name below that folder, without .. and without links that leave it",
            remedy="start voxtrail in a folder above it",
        )
