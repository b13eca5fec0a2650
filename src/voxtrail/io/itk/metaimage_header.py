"""A look at a MetaImage header before ITK's C++ reader sees it.

That reader keeps its numbers in arrays of fixed length and trusts the header's counts: a damaged
one can end the whole process (``NDims = 39999`` does). Nothing is taken from here; what passes is
read by ITK.
"""

from __future__ import annotations

from pathlib import Path

from voxtrail.errors import ImageError
from voxtrail.io.itk.sibling import sibling_data_file

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


def data_files(path: Path) -> tuple[Path, ...]:
    """Return the files that hold the voxels, and refuse a header whose counts do not agree.

    Raises
    ------
    ImageError
        If it has no or another number of axes than its values, is no such header, or names
        voxels in another place than its folder.
    """
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    fields: dict[str, str] = {}
    lines = iter(start.split(b"\n"))
    for line in lines:
        if not line.strip():
            continue  # ITK passes over empty lines
        key, equals, value = line.partition(b"=")
        name = key.strip().decode("latin-1")
        if not equals or not name.isprintable() or (name in fields and name in _COUNTED):
            raise _refused(path, f"the line {line[:40]!r}")
        fields[name] = value.strip().decode("latin-1")
        if name == "ElementDataFile":
            break
    else:
        raise _refused(path, "a header without ElementDataFile")
    axes = fields.get("NDims", "")
    if not (axes.isascii() and axes.isdigit() and len(axes) <= 2 and 1 <= int(axes) <= _MAX_AXES):
        raise _refused(path, f"NDims = {axes[:40] or 'nothing'}")
    for name, power in _COUNTS.items():
        values = fields.get(name, "").split()
        if name in fields and len(values) != int(axes) ** power:
            raise _refused(path, f"{len(values)} values of {name} for {axes} axes")
    named = fields["ElementDataFile"]
    if named.lower() == "local":
        return (path,)
    if named.upper() == "LIST":
        # One file a slice, whose names follow.
        names = [line.strip().decode("latin-1") for line in lines if line.strip()]
        slices = fields.get("DimSize", "").split()[-1:]
        if [str(len(names))] != slices:
            raise _refused(path, f"a list of {len(names)} files for {''.join(slices)} slices")
        return tuple(sibling_data_file(path, name) for name in names)
    return (sibling_data_file(path, named),)


def _refused(path: Path, received: str) -> ImageError:
    return ImageError(
        f"{path} cannot be read as MetaImage: its header is truncated or damaged",
        received=received,
        accepted=f"lines of KEY = VALUE for at most {_MAX_AXES} axes, the last ElementDataFile",
        remedy="copy or export it again",
    )
