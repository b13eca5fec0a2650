"""The table of formats as Markdown, for the README: ``python -m voxtrail.io.formats_table``.

It stands there between ``<!-- formats -->`` and ``<!-- /formats -->``; a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from voxtrail.io import dicom
from voxtrail.io.format import Format
from voxtrail.io.label_format import LabelFormat
from voxtrail.io.registry import FORMATS, LABEL_FORMATS

_HEAD = ("format", "name", "read as", "written for", "needs")
_MARK = "\\*"
_FOOTNOTE = (
    f"{_MARK} refers to the DICOM series that was labelled, and therefore copies the patient's "
    "name and identifiers from it. No other output carries them."
)


def table() -> str:
    """Return the table and its footnote, a line each row."""
    rows = [_volume_row(known) for known in FORMATS]
    suffixes = _code(dicom.SUFFIXES)
    rows.append(("DICOM CT series", f"a folder, files of any name, {suffixes}", "scan", "", ""))
    rows.extend(_label_row(known) for known in LABEL_FORMATS)
    rule = ("---",) * len(_HEAD)
    lines = ["| " + " | ".join(cells) + " |" for cells in (_HEAD, rule, *rows)]
    return "\n".join([*lines, "", _FOOTNOTE]) + "\n"


def _volume_row(known: Format) -> tuple[str, ...]:
    read_only = [suffix for suffix in known.suffixes if suffix not in known.written]
    names = _code(known.written) + (f", {_code(read_only)} (read only)" if read_only else "")
    return known.name, names, "scan, labels", "scan, labels", ""


def _label_row(known: LabelFormat) -> tuple[str, ...]:
    name = f"{known.name}{_MARK}" if known.refers else known.name
    written = "one label a file" if known.one_label else "labels"
    needs = f"`pip install 'voxtrail[{known.extra.name}]'`" if known.extra else ""
    if needs and known.read:  # which takes no package more
        needs += " to write"
    return name, _code(known.written), known.read_as, written, needs


def _code(suffixes: Iterable[str]) -> str:
    return ", ".join(f"`{suffix}`" for suffix in suffixes)


if __name__ == "__main__":
    sys.stdout.write(table())
