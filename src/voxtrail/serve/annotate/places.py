"""Where a scan's session is kept, and that one program alone works on it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import IO

from voxtrail.errors import SessionError
from voxtrail.io.registry import image_suffixes, suffix_of

#: What a session file's name ends in.
SESSION_SUFFIX = ".voxtrail.json"
#: What lies beside it: what was found, and label maps that were taken for predictions.
_KEPT = re.compile(r".+\.voxtrail\.(results|imported-\d+\.nii\.gz)")


def session_place(scan: Path, folder: Path) -> Path:
    """Return where the session of a scan is kept: beside it, or in ``folder`` if it must not be.

    Parameters
    ----------
    scan
        A file, or a folder of DICOM files.
    folder
        Where voxtrail was started.
    """
    beside = scan.parent
    if not os.access(beside, os.W_OK | os.X_OK):
        beside = folder
    return beside / f"{stem_of(scan.name)}{SESSION_SUFFIX}"


def stem_of(name: str) -> str:
    """Return what a scan is called without its format's suffix.

    Examples
    --------
    >>> stem_of("ct.nii.gz"), stem_of("series 3")
    ('ct', 'series 3')
    """
    suffix = suffix_of(Path(name), image_suffixes()) or ""
    return name[: len(name) - len(suffix)] or name


def is_kept(name: str) -> bool:
    """Tell whether a file or folder is what is kept beside a session, and nothing to be opened.

    Examples
    --------
    >>> is_kept("ct.voxtrail.results"), is_kept("ct.voxtrail.imported-1.nii.gz")
    (True, True)
    >>> is_kept("ct.voxtrail.json"), is_kept("ct.nii.gz")
    (False, False)
    """
    return _KEPT.fullmatch(name) is not None


def imported_place(session: Path, number: int) -> Path:
    """Return where a label map is kept that was taken for predictions."""
    return session.with_suffix(f".imported-{number}.nii.gz")


class SessionLock:
    """Holds a session file against other programs, as long as this one lives.

    Parameters
    ----------
    place
        The session file; a hidden, empty file beside it is held.

    Raises
    ------
    SessionError
        If another program holds it.
    """

    def __init__(self, place: Path) -> None:
        self._file: IO[bytes] | None = None
        try:
            import fcntl
        except ImportError:  # Windows has none; there, two programs are not kept apart
            return
        with suppress(OSError):  # a folder that cannot be written to is said by what writes
            self._file = (place.parent / f".{place.name}.lock").open("wb")
        if self._file is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise SessionError(
                "another voxtrail works on this session",
                received=place,
                accepted="a session that nobody else has open",
                remedy="close the other one, or name another --session",
            ) from error

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            self._file.close()
