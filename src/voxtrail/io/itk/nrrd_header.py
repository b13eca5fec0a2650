"""The text at the start of an NRRD file: where its voxels lie, and where the patient does.

ITK reads and writes the file. It splits a voxel's three vectors into directions and lengths, whose
product rounds; here the vectors are taken from the text and put into it to the last bit.

Source: "Definition of NRRD File Format", https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.io.itk.sibling import numbered, sibling_data_file, sibling_data_files

#: A header is some hundred bytes; one of a segmentation takes a kilobyte a segment.
_MAX_HEADER = 8 * 2**20

#: ITK's reader crashes while it complains of a longer line that is neither a comment nor a pair.
_MAX_LINE = 500

_GZIP = ("gzip", "gz")

#: Encodings of the format that ITK is built without.
_NOT_READ = ("bzip2", "bz2")

#: A field has two names; this one is used here.
_DATA_FILE, _DATA_FILE_TOO = "data file", "datafile"

#: Names of files follow, a line each to the end; in how many axes each file's voxels lie.
_LIST = re.compile(r"LIST(?: +\d)?")

_QUOTED = re.compile(r'"([^"]*)"')

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


def data_files(path: Path) -> tuple[Path, ...]:
    """Return the files that hold the voxels: the same one, or some in the same folder.

    Raises
    ------
    ImageError
        If the header names another place, files that are not there, or an encoding that ITK has
        not.
    """
    fields, names, _ = _header(path)
    if (encoding := fields.get("encoding", "").lower()) in _NOT_READ:
        raise ImageError(
            f"{path} is compressed in a way that is not read",
            received=f"encoding {encoding}",
            accepted="encoding raw, gzip, ascii or hex",
            remedy="save it again with gzip",
        )
    if (named := fields.get(_DATA_FILE)) is None:
        return (path,)
    if _LIST.fullmatch(named):
        return tuple(sibling_data_file(path, name) for name in names if name)
    pattern = numbered(named)
    if pattern and len(pattern[1]) in (3, 4) and pattern[1][2]:
        # First, last and step; then, in how many axes each file's voxels lie.
        first, last, step = pattern[1][:3]
        return sibling_data_files(path, pattern[0], range(first, last + (step > 0) * 2 - 1, step))
    return (sibling_data_file(path, named),)


def streams(path: Path) -> tuple[tuple[Path, int], ...]:
    """Return the files whose voxels are compressed, and where in each they begin."""
    header = _header(path)
    if header.fields.get("encoding", "").lower() not in _GZIP or "line skip" in header.fields:
        return ()
    return tuple((one, header.length if one == path else 0) for one in data_files(path))


def unit_of(path: Path) -> str:
    """Return the unit of lengths that a header gives, as it spells it; empty for none.

    Where axes have different units they come together, which is none that is known.
    """
    fields = _header(path).fields
    given = fields.get("space units", fields.get("units", ""))
    return ", ".join(dict.fromkeys(unit for unit in _QUOTED.findall(given) if unit.strip()))


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
    fields = _header(path).fields
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


def write_affine(path: Path, affine: NDArray[np.float64], unit: str) -> None:
    """Put an affine (4x4, RAS) and its unit, if any, into a file of ITK's, to the last bit."""
    content = path.read_bytes()
    header, empty, voxels = content.partition(b"\n\n")
    lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3] + 0.0
    *directions, origin = ("(" + ",".join(map(repr, c)) + ")" for c in lps.T.tolist())
    lines = [line for line in header.split(b"\n") if not line.startswith(b"space ")]
    lines += [f"space directions: {' '.join(directions)}".encode()]
    lines += [f"space origin: {origin}".encode()]
    if unit:
        lines += [f"space units: {' '.join([json.dumps(unit, ensure_ascii=False)] * 3)}".encode()]
    path.write_bytes(b"\n".join(lines) + empty + voxels)


class _Header(NamedTuple):
    """Fields (``key: value``), names of files that follow them, and how many bytes all take.

    Pairs (``key:=value``) are no fields.
    """

    fields: dict[str, str]
    names: list[str]
    length: int


def _header(path: Path) -> _Header:
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    fields: dict[str, str] = {}
    place = 0
    while place < len(start):
        end = start.find(b"\n", place)
        end = len(start) if end < 0 else end
        line, place = start[place:end].removesuffix(b"\r"), end + 1
        if not line:
            return _Header(fields, [], place)
        if line.startswith(b"#"):
            continue
        key, colon, value = os.fsdecode(line).partition(":")
        if colon and value.startswith("="):
            continue
        if len(line) > _MAX_LINE:
            raise _refused(path, f"a line of {len(line)} bytes")
        if colon:
            name = key.strip().lower()
            name = _DATA_FILE if name == _DATA_FILE_TOO else name
            if name in fields:
                raise _refused(path, f"two lines of {name[:40]}")
            fields[name] = value.strip()
            if name == _DATA_FILE and _LIST.fullmatch(fields[name]):
                names = [os.fsdecode(one) for one in re.split(rb"\r?\n", start[place:])]
                return _Header(fields, names, len(start))
    if len(start) < _MAX_HEADER:  # of a detached header the end may be that of the file
        return _Header(fields, [], len(start))
    raise _refused(path, f"a header of over {_MAX_HEADER} bytes")


def _refused(path: Path, received: str) -> ImageError:
    return ImageError(
        f"{path} cannot be read as NRRD: its header is damaged",
        received=received,
        accepted="each field once, and an empty line",
        remedy="copy or export it again",
    )
