"""The table of formats as Markdown, for the README: ``python -m voxtrail.io.formats_table``.

It stands there between ``<!-- formats -->`` and ``<!-- /formats -->``; a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from voxtrail.io.format import Format
from voxtrail.io.registry import formats

_HEAD = ("format", "name", "read as", "written for", "needs")
_MARK = "\\*"
_FOOTNOTE = (
    f"{_MARK} refers to the DICOM series that was labelled, and therefore copies the patient's "
    "name and identifiers from it. No other output carries them."
)


def table() -> str:
    """Return the table and its footnote, a line each row."""
    rule = ("---",) * len(_HEAD)
    lines = ["| " + " | ".join(cells) + " |" for cells in (_HEAD, rule, *map(_row, formats()))]
    return "\n".join([*lines, "", _FOOTNOTE]) + "\n"


def _row(known: Format) -> tuple[str, ...]:
    name = f"{known.name}{_MARK}" if known.check_source else known.name
    read_only = [suffix for suffix in known.suffixes if suffix not in known.written]
    names = [known.found_as, _code(known.written)]
    if read_only:
        names.append(_code(read_only) + (" (read only)" if known.written else ""))
    needs = f"`pip install 'voxtrail[{known.extra.name}]'`" if known.extra else ""
    if needs and known.read_labels:  # which takes no package more
        needs += " to write"
    return name, ", ".join(filter(None, names)), known.read_as, _written(known), needs


def _written(known: Format) -> str:
    if known.write_scan:
        return "scan, labels"
    if known.one_label:
        return "one label a file"
    return "labels" if known.write_labels else ""


def _code(suffixes: Iterable[str]) -> str:
    return ", ".join(f"`{suffix}`" for suffix in suffixes)


if __name__ == "__main__":
    sys.stdout.write(table())
