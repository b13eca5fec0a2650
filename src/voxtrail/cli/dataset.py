"""``voxtrail dataset``: what a TotalSegmentator folder holds, and balanced samples of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Count a TotalSegmentator dataset's bones; draw balanced samples.")


@app.command("scan")
def scan(
    root: Annotated[
        Path, typer.Argument(help="The folder of subjects, TotalSegmentator v1 or v2.")
    ],
    jobs: Annotated[int, typer.Option(min=1, help="Subjects read at a time.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Print the paper's Tables II to IV for a dataset."""
    from voxtrail.cli.progress import progress_bar
    from voxtrail.datasets import composition

    with progress_bar(quiet=quiet, unit="subjects") as progress:
        found = composition.scan(
            root,
            jobs=jobs,
            on_case=None if progress is None else lambda n, total: progress(n, total, "reading"),
        )
    if as_json:
        sys.stdout.write(json.dumps(found.tables(), indent=2) + "\n")
        return
    for title, rows in found.tables().items():
        sys.stdout.write(f"{title}\n\n{composition.markdown(rows)}\n\n")


@app.command("sample")
def sample(
    root: Annotated[
        Path, typer.Argument(help="The folder of subjects, TotalSegmentator v1 or v2.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The manifest to write (CSV).")],
    per_type: Annotated[
        int, typer.Option(help="Structures of each bone type: 50 (ablation) or 250 (final).")
    ],
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal samples.")] = 0,
    allow_short: Annotated[
        bool, typer.Option("--allow-short", help="Take fewer where a type has fewer.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing manifest.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Draw as many structures of every bone type, on more than six axial slices each."""
    from collections import Counter

    from voxtrail.cli.progress import progress_bar
    from voxtrail.datasets.manifest import write_manifest
    from voxtrail.datasets.sample import sample as draw
    from voxtrail.io import check_writable

    check_writable(output, force)
    with progress_bar(quiet=quiet, unit="structures") as progress:
        manifest = draw(
            root,
            per_type,
            seed,
            allow_short=allow_short,
            on_structure=None
            if progress is None
            else lambda n, total: progress(n, total, "drawing"),
        )
    write_manifest(manifest, output, force)
    counts = Counter(item.bone_type for item in manifest.structures)
    sys.stdout.write(
        f"{output}: {len(manifest.structures)} structures of "
        f"{len({item.case for item in manifest.structures})} subjects "
        f"({', '.join(f'{count} {name}' for name, count in counts.items())}), "
        f"checksum {manifest.checksum}\n"
    )
