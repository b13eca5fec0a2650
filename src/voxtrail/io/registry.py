"""The formats that voxtrail knows, and which of them a file is of.

Every `Format` that a module in one of the rooms beside this one defines is known: a new format is a
new module, and no other file changes. Another package adds one through an entry point of the group
``voxtrail.io`` whose value is the `Format`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from voxtrail.errors import ImageError, OptionError, OutputError
from voxtrail.io.format import Format


@cache
def formats() -> tuple[Format, ...]:
    """Return every format: those of scans first, each group by name."""
    found: dict[int, Format] = {}
    package = importlib.import_module("voxtrail.io")
    for room in pkgutil.iter_modules(package.__path__, "voxtrail.io."):
        if not room.ispkg:
            continue
        modules = importlib.import_module(room.name).__path__
        for module in pkgutil.iter_modules(modules, f"{room.name}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Format):
                    found[id(value)] = value
    for entry in entry_points(group="voxtrail.io"):
        added = _loaded(entry)
        found[id(added)] = added
    return tuple(sorted(found.values(), key=lambda one: (one.read_scan is None, one.name)))


def _loaded(entry: EntryPoint) -> Format:
    """Return the format that an entry point stands for."""
    received: object
    try:
        received = entry.load()
    except Exception as error:
        # whatever a stranger's module raises when it is imported
        received = f"{type(error).__name__}: {error}"
    if not isinstance(received, Format):
        raise OptionError(
            f"the file format {entry.value} of "
            f"{entry.dist.name if entry.dist else 'an unknown package'} cannot be used",
            received=received,
            accepted="a voxtrail.io.format.Format",
            remedy="mend or uninstall that package",
        )
    return received


def suffix_of(path: Path, suffixes: tuple[str, ...]) -> str | None:
    """Return the longest of ``suffixes`` that the file's name ends in, whatever its case."""
    name = path.name.lower()
    return max((s for s in suffixes if name.endswith(s)), key=len, default=None)


def scan_format_of(places: Sequence[Path]) -> Format:
    """Return the format in which a scan is read.

    Parameters
    ----------
    places
        A file, a folder, or several files.

    Raises
    ------
    ImageError
        If it is of no known format.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".NII.GZ") as file:
    ...     scan_format_of([Path(file.name)]).name
    'NIfTI'
    """
    known = [one for one in formats() if one.read_scan]
    if len(places) > 1 or places[0].is_dir():
        return next(one for one in known if one.several_files)
    return _of_file(places[0], known)


def label_format_of(path: Path) -> Format:
    """Return the format in which labels are read.

    Raises
    ------
    ImageError
        If it is of no known format, or DICOM without labels.
    """
    return _of_file(path, [one for one in formats() if one.read_labels])


def writer_of(path: Path) -> Format:
    """Return the format in which ``path`` is written: that of the longest suffix that fits.

    Raises
    ------
    OutputError
        If its suffix is not known.

    Examples
    --------
    >>> writer_of(Path("bones.seg.nrrd")).name
    '3D Slicer segmentation'
    """
    if found := _by_suffix(path, {one: one.written for one in formats()}):
        return found
    raise OutputError(
        f"{path}: no format has this suffix",
        received=path.suffix or "(none)",
        accepted=", ".join(suffix for known in formats() for suffix in known.written),
        remedy="end the output's name in one of them",
    )


def written_suffixes() -> tuple[str, ...]:
    """Return every suffix under which any volume, a scan or a label map, can be written."""
    return tuple(suffix for known in formats() if known.write_scan for suffix in known.written)


def image_suffixes() -> tuple[str, ...]:
    """Return every suffix under which a scan may be read."""
    return tuple(suffix for known in formats() if known.read_scan for suffix in known.suffixes)


def copies_patient(path: Path) -> bool:
    """Tell whether an output of this name carries the patient's name and identifiers.

    Only formats do that require it, which copy them from the DICOM series; a run's record should
    say so. False for a suffix that is not known.

    Examples
    --------
    >>> copies_patient(Path("bones.dcm")), copies_patient(Path("bones.seg.nrrd"))
    (True, False)
    """
    return any(known.check_source and suffix_of(path, known.written) for known in formats())


def _of_file(path: Path, known: Sequence[Format]) -> Format:
    if found := _by_suffix(path, {one: one.suffixes for one in known}):
        return found
    for one in known:
        if one.recognises and one.recognises(path):
            return one
    raise ImageError(
        f"{path} is of no known format",
        received=f"suffix {path.suffix or '(none)'}",
        accepted=", ".join(suffix for suffix in image_suffixes()) + ", DICOM of any name",
        remedy="convert it to one of them",
    )


def _by_suffix(path: Path, suffixes: dict[Format, tuple[str, ...]]) -> Format | None:
    """Return the format with the longest suffix that fits, if any does."""
    fitting = {one: suffix_of(path, some) or "" for one, some in suffixes.items()}
    best = max(fitting, key=lambda one: len(fitting[one]))
    return best if fitting[best] else None
