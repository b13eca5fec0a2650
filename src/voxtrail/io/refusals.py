"""What every reader refuses, and how a library's complaint becomes a refusal.

Sizes, shapes, data types and places are looked at before voxels are read, so that no header,
damaged or hostile, makes voxtrail take memory that is not there.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError, VoxtrailError
from voxtrail.io.free_memory import available_bytes

#: A scan that would take more memory than this is refused before it is read.
MAX_BYTES = 16 * 2**30

#: No scanner is a thousand kilometres long; beyond this, squares of lengths overflow.
MAX_MM = 1e9

#: Largest label of a label map or a prompt.
MAX_LABEL = 65535

#: Deflate cannot shrink data further than this (zlib's own figure), so a compressed file's size
#: bounds what it can hold.
DEFLATE_RATIO = 1032

#: Voxels are kept as they are stored or as float32, so none counts for less than this.
_VOXEL_BYTES = 4

#: Reading takes up to twice what the voxels take.
_SHARE_OF_FREE = 0.5

#: A library's own message is cut to this many characters.
_MESSAGE_LENGTH = 160

#: A path is quoted up to this many characters.
_PATH_LENGTH = 500


def three_axes(shape: Sequence[int], path: Path) -> tuple[int, int, int]:
    """Return ``shape`` without trailing axes of one voxel.

    Raises
    ------
    ImageError
        If other than three axes remain, or one of them is empty.

    Examples
    --------
    >>> three_axes((512, 512, 90, 1), Path("ct.nii"))
    (512, 512, 90)
    """
    sides = [int(n) for n in shape]
    while len(sides) > 3 and sides[-1] == 1:
        sides.pop()
    if len(sides) != 3 or min(sides) < 1:
        raise ImageError(
            f"{path} is not one 3-D image: it has {len(sides)} axes",
            received=f"shape {' x '.join(str(int(n)) for n in shape)}",
            accepted="three axes of at least one voxel (further ones of a single voxel are cut)",
            remedy="pass one volume: split a series over time, or pick one channel",
        )
    return sides[0], sides[1], sides[2]


def refuse_far(affine: NDArray[np.float64], what: str) -> None:
    """Refuse a place beyond any scanner.

    Parameters
    ----------
    affine
        4x4, voxel to millimetres; NaN and infinity are left for `Grid` to refuse.
    what
        Whose it is, for messages.

    Raises
    ------
    ImageError
        If an entry is beyond `MAX_MM`.
    """
    entries = affine[np.isfinite(affine)]
    if entries.size and np.abs(entries).max() > MAX_MM:
        raise ImageError(
            f"{what}: the affine is beyond any scanner",
            received=f"{np.abs(entries).max():.4g} mm",
            accepted=f"at most {MAX_MM:g} mm",
            remedy="repair the header (its orientation or spacing is broken) and read it again",
        )


def refuse_data_type(dtype: np.dtype[Any], path: Path) -> None:
    """Refuse voxels that are not plain numbers.

    Raises
    ------
    ImageError
        For colour, complex and other voxels that are no real number of at most 8 bytes.
    """
    if dtype.kind in "iuf" and dtype.itemsize <= 8:
        return
    kind = {"V": "colour", "c": "complex"}.get(dtype.kind, "unsuitable")
    raise ImageError(
        f"{path} has {kind} voxels",
        received=f"data type {dtype}",
        accepted="integers or floating-point numbers of at most 64 bits",
        remedy="convert it to one plain number per voxel",
    )


def refuse_size(
    shape: Sequence[int], itemsize: int, path: Path, *, max_bytes: int, file_holds: int | None
) -> None:
    """Refuse a header that promises more than there is room for, or than the file can hold.

    Parameters
    ----------
    shape, itemsize
        The voxels that the header promises and the bytes each takes in the file.
    path
        The file.
    max_bytes
        The most that the voxels may take in memory.
    file_holds
        The most bytes of voxels that the file can hold once unpacked; None if not known.

    Raises
    ------
    ImageError
        If either bound is passed.
    """
    promised = prod(int(n) for n in shape) * itemsize
    needed = prod(int(n) for n in shape) * max(itemsize, _VOXEL_BYTES)
    sides = " x ".join(str(int(n)) for n in shape)
    if file_holds is not None and promised > file_holds:
        raise ImageError(
            f"{path} is truncated: its header promises more voxels than the file holds",
            received=f"{sides} voxels, {promised} bytes, in a file with room for {file_holds}",
            accepted="a whole file",
            remedy="copy or export it again",
        )
    if needed > max_bytes:
        raise ImageError(
            f"{path} is too large",
            received=f"{sides} voxels, {needed / 2**30:.4g} GiB",
            accepted=f"at most {max_bytes / 2**30:.4g} GiB of voxels",
            remedy="crop or resample it first",
        )
    free = available_bytes()
    if free is not None and needed > free * _SHARE_OF_FREE:
        raise ImageError(
            f"{path} does not fit into memory",
            received=f"{sides} voxels, {needed / 2**30:.4g} GiB",
            accepted=f"at most half of the {free / 2**30:.4g} GiB that are free",
            remedy="free some, or crop or resample it first",
        )


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a reading library throws at a bad file into an `ImageError`.

    Its warnings are dropped: what breaks a standard and matters is checked where it is used, and
    they quote values, which may be the patient's.

    Parameters
    ----------
    path
        The file.
    kind
        What it is read as, such as ``"NIfTI"``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except VoxtrailError:
        raise
    # Readers raise anything from KeyError to struct.error on garbage; the cause is kept.
    except Exception as error:
        if isinstance(error.__context__, VoxtrailError):
            # Some take whatever is raised while they read a file for the file's end.
            raise error.__context__ from None
        raise ImageError(
            f"{path} cannot be read as {kind}: it is truncated, damaged or of another kind",
            received=brief(error),
            accepted=f"a whole {kind} file",
            remedy="copy or export it again",
        ) from error


def brief(error: BaseException) -> str:
    """Return an exception's type and the start of its message, in one line."""
    message = " ".join(str(error).split())
    if len(message) > _MESSAGE_LENGTH:
        message = f"{message[:_MESSAGE_LENGTH]}..."
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def refuse_unreadable(place: Path, *, folder_too: bool = False) -> None:
    """Refuse what is no file that can be read: missing, empty, a device, without permission.

    Parameters
    ----------
    place
        The path.
    folder_too
        Whether a folder is let pass.

    Raises
    ------
    ImageError
        Saying which of them it is.
    """
    try:
        found = place.stat()
    except FileNotFoundError:
        what, remedy = f"{place} does not exist", "correct the path"
    # A name that no file can have: too long, through a file, with a null character.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what, remedy = f"{place} cannot be looked up: {reason}", "correct the path"
    else:
        if folder_too and stat.S_ISDIR(found.st_mode):
            return
        if not stat.S_ISREG(found.st_mode):
            what, remedy = f"{place} is not a file", "pass a file"
        elif not os.access(place, os.R_OK):
            what, remedy = f"{place} may not be read", "change its permissions"
        elif found.st_size == 0:
            what, remedy = f"{place} is empty", "copy or export it again"
        else:
            return
    raise ImageError(
        what[:_PATH_LENGTH],
        received=str(place)[:_PATH_LENGTH],
        accepted="a readable image file",
        remedy=remedy,
    )


def of_file(path: object, error: ImageError) -> ImageError:
    """Return the same refusal with the file's name in it."""
    return ImageError(
        error.what if str(path) in error.what else f"{path}: {error.what}",
        received=error.received,
        accepted=error.accepted,
        remedy=error.remedy,
    )
