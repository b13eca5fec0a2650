"""``voxtrail simulate``: outlines as a careful person would have drawn them, from the truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def run(
    truth: Annotated[
        list[Path], typer.Argument(help="One label map, or binary masks (labels 1, 2, ...).")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="PROMPTS.nii.gz or PROMPTS.json.")],
    slices: Annotated[
        str, typer.Option(help="first-middle-last, middle, first-last or uniform:K.")
    ] = "first-middle-last",
    axes: Annotated[str, typer.Option(help="axial, coronal, sagittal; commas join.")] = "axial",
    like: Annotated[
        Path | None,
        typer.Option(help="The scan that was labelled, on whose grid prompts of DICOM labels lie."),
    ] = None,
    series: Annotated[str | None, typer.Option(help="Which DICOM series of --like.")] = None,
    structures: Annotated[
        str | None,
        typer.Option(help="Which structures of TRUTH, by name: liver,spleen; all by default."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Cut prompts from the truth on chosen slices of every label."""
    from voxtrail.core.axis import Axis
    from voxtrail.core.slice_frame import SliceFrame
    from voxtrail.evaluate import simulate
    from voxtrail.evaluate.truth import read_truth
    from voxtrail.io import check_prompts_output, read, write_prompts
    from voxtrail.io.structures import split

    check_prompts_output(output, force)
    directions = Axis.several(axes.split(","))
    expected = read_truth(truth, read(like, series) if like else None, split(structures))
    drawn = simulate(expected, slices, directions)
    write_prompts(drawn, output, force)
    for note in drawn.notes:
        sys.stderr.write(f"note: {note}\n")
    for label in drawn.labels():
        numbers: dict[str, list[int]] = {}
        for prompt in drawn.of(label):
            number = SliceFrame.of(drawn.stored, prompt.axis).slice_number(prompt.slice_index)
            numbers.setdefault(prompt.axis.label, []).append(number)
        where = "; ".join(
            f"{axis} {', '.join(map(str, sorted(of)))}" for axis, of in numbers.items()
        )
        sys.stdout.write(f"{label} {drawn.name(label)}: {where} (slice numbers as stored)\n")
    sys.stdout.write(f"{output}\n")
