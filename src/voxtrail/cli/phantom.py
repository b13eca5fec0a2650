"""``voxtrail phantom``: synthetic bone CTs in TotalSegmentator's layout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def run(
    directory: Annotated[Path, typer.Argument(help="Where the dataset goes.")],
    subjects: Annotated[int, typer.Option(min=1, help="How many scans.")],
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal bytes.")] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace subjects of these names.")
    ] = False,
) -> None:
    """Write synthetic bone CTs with their labels, laid out as TotalSegmentator v2."""
    from voxtrail.datasets.phantom import write_dataset

    for path in write_dataset(directory, subjects, seed, force=force):
        sys.stdout.write(f"{path}\n")
