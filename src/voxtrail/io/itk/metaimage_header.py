"""A look at a MetaImage header before ITK's C++ reader sees it.

That reader keeps its numbers in arrays of fixed length and trusts the header's counts: a damaged
one can end the whole process (``NDims = 39999`` does). Nothing is taken from here; what passes is
read by ITK.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from voxtrail.errors import ImageError
from voxtrail.io.itk.sibling import numbered, sibling_data_file, sibling_data_files

#: A header is a few hundred bytes; tools that keep notes in it add some thousands.
_MAX_HEADER = 2**20

#: Axes that a volume may have before those of one voxel are cut; ITK's limit is 10.
_MAX_AXES = 5

#: How many values a key has: the number of axes to this power.
_COUNTS = {
    "DimSize": 1,
    "ElementSpacing": 1,
    "ElementSize": 1,
    "Offset": 1,
    "Position": 1,
    "Origin": 1,
    "CenterOfRotation": 1,
    "TransformMatrix": 2,
    "Rotation": 2,
    "Orientation": 2,
}

#: Keys that may occur once only: a second one would change the counts after they were checked.
_COUNTED = {"NDims", *_COUNTS}

#: The function that a header may give of what is stored, and what changes nothing.
_FUNCTION = {"ElementToIntensityFunctionSlope": "1", "ElementToIntensityFunctionOffset": "0"}

#: A value is quoted up to this many characters.
_QUOTE = 20

#: No scan has so many slices that their number has as many digits.
_DIGITS = 6

#: What stands for the names that follow.
_LIST = "LIST"

#: The key that ends a header, and that of the unit of lengths.
_LAST, _UNIT = "ElementDataFile", "DistanceUnits"


def data_files(path: Path) -> tuple[Path, ...]:
    """Return the files that hold the voxels, and refuse a header whose counts do not agree.

    Raises
    ------
    ImageError
        If it has no or another number of axes than its values, is no such header, or names
        voxels in another place than its folder.
    """
    fields, names, _ = _header(path)
    axes = fields.get("NDims", "")
    if not (axes.isascii() and axes.isdigit() and len(axes) <= 2 and 1 <= int(axes) <= _MAX_AXES):
        raise _refused(path, f"NDims = {axes[:40] or 'nothing'}")
    for name, power in _COUNTS.items():
        values = fields.get(name, "").split()
        if name in fields and len(values) != int(axes) ** power:
            raise _refused(path, f"{len(values)} values of {name} for {axes} axes")
    named = fields[_LAST]
    if named.lower() == "local":
        return (path,)
    slices = "".join(fields.get("DimSize", "").split()[-1:])
    if named.startswith(_LIST):
        # One file a slice, whose names follow; in how many axes its voxels lie may be said.
        if named.removeprefix(_LIST).strip() not in ("", f"{int(axes) - 1}", f"{int(axes) - 1}D"):
            raise _refused(path, f"{_LAST} = {named[:40]} for {axes} axes")
        files = [name for name in names if name]
        _check_count(path, len(files), slices)
        return tuple(sibling_data_file(path, name) for name in files)
    pattern = numbered(named)
    if pattern and len(pattern[1]) in (0, 1, 3):
        first, *rest = pattern[1] or [1]
        count = int(slices) if slices.isdecimal() and len(slices) < _DIGITS else 0
        last, step = rest or (first + count - 1, 1)
        numbers = range(first, last + 1, step) if step > 0 else range(0)  # ITK divides by it
        _check_count(path, len(numbers), slices)
        return sibling_data_files(path, pattern[0], numbers)
    return (sibling_data_file(path, named),)


def streams(path: Path) -> tuple[tuple[Path, int], ...]:
    """Return the files whose voxels are compressed, and where in each they begin."""
    header = _header(path)
    if header.fields.get("CompressedData", "")[:1] not in ("T", "t", "1"):  # as ITK tells
        return ()
    if header.fields[_LAST].lower() == "local":
        return ((path, header.length),)
    skipped = header.fields.get("HeaderSize", "0")
    return tuple((one, int(skipped) if skipped.isdecimal() else 0) for one in data_files(path))


def unit_of(path: Path) -> str:
    """Return the unit of lengths that a header gives, as it spells it; empty for none."""
    fields = _header(path).fields
    unit = fields.get(_UNIT, "")
    return "" if unit == "?" else unit


def intensity_note(path: Path) -> str:
    """Say that a header gives a function of values, which ITK passes over, if it does."""
    fields = _header(path).fields
    told = [f"{name} = {fields[name][:_QUOTE]}" for name in _FUNCTION if name in fields]
    if [fields.get(name, plain) for name, plain in _FUNCTION.items()] == list(_FUNCTION.values()):
        return ""
    return f"values are taken as they are stored, as other programs do, without {', '.join(told)}"


def write_unit(path: Path, unit: str) -> None:
    """Put the unit of lengths into a file that ITK wrote."""
    header, last, voxels = path.read_bytes().partition(f"{_LAST} =".encode())
    path.write_bytes(header + f"{_UNIT} = {unit}\n".encode() + last + voxels)


class _Header(NamedTuple):
    """Values by their keys, the names of files that follow them, and how many bytes all take."""

    fields: dict[str, str]
    names: list[str]
    length: int


def _header(path: Path) -> _Header:
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    fields: dict[str, str] = {}
    lines = iter(start.split(b"\n"))
    length = 0
    for line in lines:
        length += len(line) + 1
        if not line.strip():
            continue  # ITK passes over empty lines
        key, equals, value = line.partition(b"=")
        name = key.strip().decode("latin-1")
        if not equals or not name.isprintable() or (name in fields and name in _COUNTED):
            raise _refused(path, f"the line {line[:40]!r}")
        fields[name] = os.fsdecode(value.strip())
        if name == _LAST:
            listed = fields[name].startswith(_LIST)  # else voxels follow, or nothing
            names = [os.fsdecode(one.strip()) for one in lines] if listed else []
            return _Header(fields, names, length)
    raise _refused(path, f"a header without {_LAST}")


def _check_count(path: Path, files: int, slices: str) -> None:
    if str(files) != slices:
        raise _refused(path, f"{files} files for {slices or 'no'} slices")


def _refused(path: Path, received: str) -> ImageError:
    return ImageError(
        f"{path} cannot be read as MetaImage: its header is truncated or damaged",
        received=received,
        accepted=f"lines of KEY = VALUE for at most {_MAX_AXES} axes, the last {_LAST}; of several "
        "files one a slice",
        remedy="copy or export it again",
    )
