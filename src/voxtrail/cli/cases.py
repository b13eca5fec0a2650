"""Which scans a batch segments: a table of cases (CSV), or two patterns of file names."""

from __future__ import annotations

import csv
import glob
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from voxtrail.errors import InputError
from voxtrail.session.outputs import FURTHER_FILES

#: A larger table is none that people or their scripts make of scans.
MAX_BYTES, MAX_ROWS = 16 * 2**20, 100_000

#: What an output is called that names no format of its own.
SUFFIX = ".nii.gz"

_NEEDED = ("image", "prompts")
_NAMES = ("output", *FURTHER_FILES)

#: Options that may differ from case to case, as the command line spells them.
OPTIONS = (
    "preset", "prompt-memory", "memory", "axes", "direction", "extent", "window", "crop", "roi",
    "margin", "fuse", "overlap", "series", "structures",
)  # fmt: skip

#: A received text is quoted up to this many characters.
_QUOTE = 80


@dataclass(frozen=True)
class Row:
    """One case as it was asked for; nothing of it is checked yet but its names.

    Parameters
    ----------
    image, prompts
        What to read; None where a pattern found none to go with the other.
    output, probabilities, uncertainty, overlay
        Names of files in the batch's folder; all but the first may be empty.
    options
        What differs from the command line, by the option's name.
    """

    image: Path | None
    prompts: Path | None
    output: str
    probabilities: str = ""
    uncertainty: str = ""
    overlay: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def absolute(self) -> Row:
        """Return the case with paths that do not depend on where one is."""
        image, prompts = (one and one.absolute() for one in (self.image, self.prompts))
        return replace(self, image=image, prompts=prompts)


def read_table(path: Path) -> list[Row]:
    """Read a table of cases: comma-separated, UTF-8, one line a case under a line of names.

    Columns are ``image``, ``prompts``, ``output`` (the image's own stem where it is empty or left
    out), ``probabilities``, ``uncertainty``, ``overlay`` and any of `OPTIONS`; empty cells take
    the command line's value. Relative paths start at the table's folder.

    Raises
    ------
    InputError
        If it is no such table.
    """
    lines = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [name.strip().lower().replace("_", "-") for name in next(lines, [])]
        _check_header(header, path)
        rows = [
            _row([cell.strip() for cell in cells], header, lines.line_num, path)
            for cells in lines
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        _refuse(f"{path} is not a table", f"line {lines.line_num}: {error}", "comma-separated text")
    if not 1 <= len(rows) <= MAX_ROWS:
        _refuse(f"{path} holds no batch", f"{len(rows)} cases", f"1 to {MAX_ROWS} cases")
    return rows


def is_pattern(text: str) -> bool:
    """Tell whether an argument stands for several files."""
    return "*" in text and not os.path.exists(text)


def match_patterns(images: str, prompts: str) -> list[Row]:
    """Pair the files of two patterns by what their stars stand for.

    ``ct/*.nii.gz`` and ``drawn/*.json`` make a case of ``ct/a.nii.gz`` and ``drawn/a.json``, which
    is called ``a``. A star stands for a part of one name, and never for a slash.

    Raises
    ------
    InputError
        If there is no file, or the two cannot be paired.
    """
    if not (is_pattern(images) and is_pattern(prompts)) or images.count("*") != prompts.count("*"):
        _refuse(
            "the patterns of scans and prompts cannot be paired",
            f"{images} and {prompts}",
            "two patterns with the same number of stars, such as 'ct/*.nii.gz' 'drawn/*.nii.gz'",
        )
    found, drawn = _matches(images), _matches(prompts)
    if not found or not drawn:
        _refuse("a pattern stands for no file", prompts if found else images, "existing files")
    names = sorted(found | drawn)
    return [Row(found.get(n), drawn.get(n), "_".join(n) + SUFFIX) for n in names]


def _matches(pattern: str) -> dict[tuple[str, ...], Path]:
    """Return the files of a pattern by what its stars stand for."""
    parts = pattern.split("*")
    stands_for = re.compile("([^/]*)".join(map(re.escape, parts)))
    found = {}
    for path in glob.iglob("*".join(map(glob.escape, parts))):
        if match := stands_for.fullmatch(path):
            found[match.groups()] = Path(path)
    return found


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            _refuse(
                f"{path} is too large for a table of cases",
                f"{size / 2**20:.0f} MiB",
                f"at most {MAX_BYTES / 2**20:.0f} MiB",
            )
        # A byte-order mark, which spreadsheets write, is dropped.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # no UTF-8, or a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        _refuse(f"{path} cannot be read", reason, "a readable CSV file in UTF-8")
    if "\0" in text:
        _refuse(f"{path} is not a table", "a null character", "comma-separated text")
    return text


def _check_header(header: Sequence[str], path: Path) -> None:
    known = (*_NEEDED, *_NAMES, *OPTIONS)
    missing = [name for name in _NEEDED if name not in header]
    unknown = [name for name in header if name not in known]
    twice = sorted({name for name in header if header.count(name) > 1})
    for what, names in (("no column", missing), ("unknown columns", unknown), ("twice", twice)):
        if names:
            _refuse(
                f"{path} has not the columns of a table of cases",
                f"{what}: {', '.join(names)[:_QUOTE]}; in the line {','.join(header)[:_QUOTE]!r}",
                f"columns {', '.join(_NEEDED)} and any of {', '.join((*_NAMES, *OPTIONS))}, with "
                "commas between them",
            )


def _row(cells: Sequence[str], header: Sequence[str], line: int, path: Path) -> Row:
    if len(cells) != len(header):
        _refuse(f"line {line} of {path} is broken", f"{len(cells)} cells", f"{len(header)}")
    of = dict(zip(header, cells, strict=True))
    for name in _NEEDED:
        if not of[name]:
            _refuse(f"line {line} of {path} is incomplete", f"no {name}", "an image and prompts")
    image = path.parent / of["image"]
    output = of.get("output", "")
    further = {name: of.get(name, "") for name in FURTHER_FILES}
    for name in (output, *further.values()):
        if name and (name != Path(name).name or name.startswith(".") or not name.isprintable()):
            _refuse(
                f"line {line} of {path} leads out of the batch's folder",
                repr(name)[:_QUOTE],
                "plain names of files",
            )
    output = output or _stem(image) + SUFFIX
    if "." not in output:
        output += SUFFIX
    options = {name: of[name] for name in OPTIONS if of.get(name)}
    return Row(image, path.parent / of["prompts"], output, **further, options=options)


def _stem(image: Path) -> str:
    """Return a scan's name without the suffix of its format."""
    from voxtrail.io.registry import image_suffixes, suffix_of

    suffix = suffix_of(image, image_suffixes()) or ""
    return image.name[: len(image.name) - len(suffix)] or "scan"


def _refuse(what: str, received: object, accepted: str) -> NoReturn:
    raise InputError(
        what,
        received=str(received)[: _QUOTE * 2],
        accepted=accepted,
        remedy="see 'voxtrail segment --help'",
    )
