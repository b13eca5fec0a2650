"""What a dataset is made of: the paper's Tables II, III and IV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtrail.datasets.bones import BONE_TYPES, LEAST_SLICES
from voxtrail.datasets.totalsegmentator import cases, present, structures

#: How many of each type the paper draws.
ABLATION_PER_TYPE, FINAL_PER_TYPE = 50, 250

Row = dict[str, Any]


@dataclass(frozen=True)
class Composition:
    """Counts of one dataset, by TotalSegmentator class.

    Parameters
    ----------
    cases
        Number of subjects.
    files
        Masks, empty ones included.
    present
        Masks with at least one voxel.
    usable
        Masks on `LEAST_SLICES` axial slices or more.
    """

    cases: int
    files: Counter[str]
    present: Counter[str]
    usable: Counter[str]

    def table_ii(self) -> list[Row]:
        """Return the raw masks of each type; the paper's counts are files, empty or not."""
        return [
            {
                "structure": bone.name,
                "labels": len(bone.classes),
                "cases": self.cases,
                "files": _of(self.files, bone.classes),
                "present": _of(self.present, bone.classes),
            }
            for bone in BONE_TYPES
        ]

    def table_iii(self) -> list[Row]:
        """Return how classes merge into types."""
        return [
            {
                "type": bone.name,
                "merging": bone.merging,
                "labels": ", ".join(name for name in bone.classes if self.files[name]) or "none",
            }
            for bone in BONE_TYPES
        ]

    def table_iv(self) -> list[Row]:
        """Return what each type gives to the two sets."""
        rows: list[Row] = []
        for bone in BONE_TYPES:
            usable = _of(self.usable, bone.classes)
            rows.append(
                {
                    "type": bone.name,
                    "present": _of(self.present, bone.classes),
                    f"usable (>= {LEAST_SLICES} slices)": usable,
                    "ablation": min(usable, ABLATION_PER_TYPE),
                    "final": min(usable, FINAL_PER_TYPE),
                }
            )
        totals: Row = {
            key: sum(row[key] for row in rows) if key != "type" else "total" for key in rows[0]
        }
        return [*rows, totals]

    def tables(self) -> dict[str, list[Row]]:
        """Return the three tables by name."""
        return {
            "Table II: masks in the dataset": self.table_ii(),
            "Table III: classes merged into types": self.table_iii(),
            "Table IV: structures a type": self.table_iv(),
        }


def scan(
    root: Path, *, jobs: int = 1, on_case: Callable[[int, int], None] | None = None
) -> Composition:
    """Count the bones of a dataset.

    Parameters
    ----------
    root
        A folder in TotalSegmentator's layout, version 1 or 2.
    jobs
        How many subjects are read at a time.
    on_case
        Told how many subjects are done, and how many there are.

    Raises
    ------
    InputError
        If the folder is no dataset, a file cannot be read, or a mask does not fit its CT.
    """
    names = cases(root)
    files: Counter[str] = Counter()
    there: Counter[str] = Counter()
    usable: Counter[str] = Counter()

    def look(case: str) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
        found = [(item.structure, item.axial_slices) for item in present(root, case)]
        return structures(root, case), found

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for done, (filed, found) in enumerate(pool.map(look, names), start=1):
            files.update(filed)
            there.update(name for name, _ in found)
            usable.update(name for name, slices in found if slices >= LEAST_SLICES)
            if on_case is not None:
                on_case(done, len(names))
    return Composition(len(names), files, there, usable)


def markdown(rows: list[Row]) -> str:
    """Return rows as a Markdown table."""
    heads = list(rows[0])
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [f"| {' | '.join(str(row[head]) for head in heads)} |" for row in rows]
    return "\n".join(lines)


def _of(counts: Counter[str], classes: tuple[str, ...]) -> int:
    return sum(counts[name] for name in classes)
