"""Puts the numbers of the tables into the prose: ``python docs/study/fill.py``.

Each number in README.md that comes from a record is followed by a comment that says which:

    0.732<!--= ct/final; IS + SPS; dice; mean -->          set/table; variant; measure; column
    0.036<!--= ct/findings; SPS: tau 0.3 ...; dice_difference -->     the claim; column

This script writes what the tables hold before each; a test checks that they agree.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
_NUMBER = re.compile(r"[+-]?\d+\.?\d*<!--= (?P<reference>[^>]*?) -->")


def filled(text: str) -> str:
    """Return a page with every referenced number as the tables hold it; `KeyError` if one is not.

    Numbers that are written with a sign keep one; others are shown without.
    """

    def replaced(match: re.Match[str]) -> str:
        value = _look_up(match["reference"])
        shown = f"{value:+.3f}" if match[0][0] in "+-" else f"{abs(value):.3f}"
        return f"{shown}<!--= {match['reference']} -->"

    return _NUMBER.sub(replaced, text)


def _look_up(reference: str) -> float:
    table, *names, column = (part.strip() for part in reference.split(";"))
    folder, _, name = table.partition("/")
    keys = ("claim",) if name == "findings" else ("variant", "measure")
    with (HERE / folder / f"tables/{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if [row[key] for key in keys] == names:
                return float(row[column])
    raise KeyError(reference)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
