"""The text at the start of an NRRD file: where its voxels lie, and where the patient does.

ITK reads and writes the file. It splits a voxel's three vectors into directions and lengths, whose
product rounds; here the vectors are taken from the text and put into it to the last bit.

Source: "Definition of NRRD File Format", https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.io.itk.sibling import sibling_data_file

#: A header is some hundred bytes; one of a segmentation takes a kilobyte a segment.
_MAX_HEADER = 8 * 2**20

#: ITK's reader crashes while it complains of a longer line that is neither a comment nor a pair.
_MAX_LINE = 500

_DATA_FILE = ("data file", "datafile")

#: What each of a space's three axes is to RAS.
_SPACES = {
    "left-posterior-superior": (-1.0, -1.0, 1.0),
    "lps": (-1.0, -1.0, 1.0),
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "ras": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
    "las": (-1.0, 1.0, 1.0),
}

_VECTOR = re.compile(r"\(([^()]*)\)")

#: The text and ITK's reading of it must agree to this share.
_ROUNDING = 1e-9


def data_of(path: Path) -> Path:
    """Return the file that holds the voxels: the same one, or one in the same folder.

    Raises
    ------
    ImageError
        If the header names another place, several files or one that is not there.
    """
    fields = _fields(path)
    for key in _DATA_FILE:
        if key in fields:
            return sibling_data_file(path, fields[key])
    return path


def unit_note(path: Path) -> str:
    """Say that a header gives lengths in another unit than millimetres, if it does.

    ITK, and with it the programs that read NRRD, takes every number for millimetres, and so does
    voxtrail: scan and labels lie on one place, but distances are not what they seem.
    """
    units = re.findall(r'"([^"]*)"', _fields(path).get("space units", ""))
    others = sorted({unit for unit in units if unit.strip() not in ("", "mm", "millimeter")})
    if not others:
        return ""
    return (
        f"its NRRD header gives lengths in {', '.join(others)[:40]}, which are taken for "
        "millimetres as other programs do: margins and distances are in that unit"
    )


def read_affine(path: Path, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an affine as the header spells it.

    Parameters
    ----------
    path
        The file.
    affine
        4x4 RAS, as ITK has it; returned where the header spells nothing like it, as with voxel
        sizes alone.
    """
    fields = _fields(path)
    signs = _SPACES.get(fields.get("space", "").lower())
    vectors = _VECTOR.findall(fields.get("space directions", ""))
    origin = _VECTOR.findall(fields.get("space origin", ""))
    if signs is None or len(vectors) != 3 or len(origin) != 1:
        return affine
    try:
        columns = [[float(number) for number in text.split(",")] for text in (*vectors, *origin)]
        spelled = np.array(signs)[:, None] * np.array(columns, dtype=np.float64).T
    except ValueError:  # no numbers, or not three
        return affine
    if spelled.shape != (3, 4) or not np.allclose(spelled, affine[:3], _ROUNDING, _ROUNDING):
        return affine
    exact = np.eye(4)
    exact[:3] = spelled + 0.0  # -0.0 becomes 0.0
    return exact


def write_affine(path: Path, affine: NDArray[np.float64]) -> None:
    """Put an affine (4x4, RAS) into a file that ITK wrote, to the last bit."""
    content = path.read_bytes()
    header, empty, voxels = content.partition(b"\n\n")
    lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3] + 0.0
    *directions, origin = ("(" + ",".join(map(repr, c)) + ")" for c in lps.T.tolist())
    lines = [line for line in header.split(b"\n") if not line.startswith(b"space ")]
    lines += [f"space directions: {' '.join(directions)}".encode()]
    lines += [f"space origin: {origin}".encode()]
    path.write_bytes(b"\n".join(lines) + empty + voxels)


def _fields(path: Path) -> dict[str, str]:
    """Return the fields (``key: value``) of a header; pairs (``key:=value``) are no fields."""
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    fields: dict[str, str] = {}
    for line in re.split(rb"\r?\n", start):
        if not line:
            return fields
        if line.startswith(b"#"):
            continue
        key, colon, value = line.decode("latin-1").partition(":")
        if colon and value.startswith("="):
            continue
        if len(line) > _MAX_LINE:
            raise _refused(path, f"a line of {len(line)} bytes")
        if colon:
            name = key.strip().lower()
            if name in fields:
                raise _refused(path, f"two lines of {name[:40]}")
            fields[name] = value.strip()
    if len(start) < _MAX_HEADER:  # of a detached header the end may be that of the file
        return fields
    raise _refused(path, f"a header of over {_MAX_HEADER} bytes")


def _refused(path: Path, received: str) -> ImageError:
    return ImageError(
        f"{path} cannot be read as NRRD: its header is damaged",
        received=received,
        accepted="each field once, and an empty line",
        remedy="copy or export it again",
    )
