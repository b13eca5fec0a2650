"""``voxtrail evaluate``: a segmentation against its truth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voxtrail.evaluate.score import ScoreTable

#: Columns of the printed table: measure, heading, format.
COLUMNS = (
    ("dice", "Dice", "{:.3f}"),
    ("iou", "IoU", "{:.3f}"),
    ("hausdorff_mm", "HD mm", "{:.1f}"),
    ("hausdorff95_mm", "HD95 mm", "{:.1f}"),
    ("assd_mm", "ASSD mm", "{:.2f}"),
    ("surface_dice_2mm", "SD 2mm", "{:.3f}"),
)


def run(
    prediction: Annotated[Path, typer.Argument(help="The label map to score.")],
    truth: Annotated[
        list[Path], typer.Argument(help="One label map, or binary masks (labels 1, 2, ...).")
    ],
    prompts: Annotated[
        Path | None,
        typer.Option(help="What was drawn: also score without those slices."),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            help="The scan that was labelled, where DICOM labels alone do not say it all."
        ),
    ] = None,
    series: Annotated[str | None, typer.Option(help="Which DICOM series of --like.")] = None,
    axes: Annotated[
        str | None,
        typer.Option(
            help="In which planes a label map of --prompts was outlined, where it does not show."
        ),
    ] = None,
    structures: Annotated[
        str | None,
        typer.Option(help="Which structures of TRUTH, by name: liver,spleen; all by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all measures as JSON.")] = False,
) -> None:
    """Score a segmentation label by label: overlap, and distances between surfaces."""
    from voxtrail.core.alignment import joint_grid
    from voxtrail.core.axis import Axis
    from voxtrail.core.volume import LabelMap
    from voxtrail.evaluate import evaluate
    from voxtrail.evaluate.truth import read_pair
    from voxtrail.io import read, read_prompts
    from voxtrail.io.structures import split

    scan, chosen = read(like, series) if like else None, split(structures)
    found, expected = read_pair(prediction, truth, scan, chosen)
    drawn = None
    if prompts is not None:
        on = scan or LabelMap.of_masks((), joint_grid(found.stored, expected.stored))
        planes = Axis.several(axes.split(",")) if axes else ()
        drawn = read_prompts(prompts, on, planes=planes)
    result = evaluate(found, expected, drawn)
    if as_json:
        sys.stdout.write(json.dumps(result.to_json(), indent=2) + "\n")
        return
    for note in result.notes:
        sys.stderr.write(f"note: {note}\n")
    print_scores("all slices", result.everywhere)
    if result.unprompted is not None:
        print_scores("un-prompted slices", result.unprompted)


def print_scores(title: str, table: ScoreTable) -> None:
    """Print one table of scores."""
    width = max([len(name) for name in table.names.values()] + [len(title)])
    heads = "".join(f"{head:>9}" for _, head, _ in COLUMNS)
    sys.stdout.write(f"{title:<{width}}{heads}\n")
    for label, scores in table.scores.items():
        _print_row(table.names[label], scores.to_json(), width)
    _print_row("mean", table.mean(), width)
    if table.null_distances():
        sys.stdout.write(
            f"{table.null_distances()} labels have no distance: one of the two masks is empty\n"
        )


def _print_row(name: str, values: dict[str, float | None], width: int) -> None:
    cells = "".join(
        f"{'-' if values[key] is None else form.format(values[key]):>9}" for key, _, form in COLUMNS
    )
    sys.stdout.write(f"{name:<{width}}{cells}\n")
