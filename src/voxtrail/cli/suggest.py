"""``voxtrail suggest``: which slices to outline next, and why."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxtrail.cli.config_options import takes_config

if TYPE_CHECKING:
    from voxtrail.session import Config


@takes_config
def run(
    config: Config,
    image: Annotated[Path, typer.Argument(help="The scan: NIfTI, NRRD, MetaImage, DICOM.")],
    prompts: Annotated[
        Path, typer.Argument(help="Outlined slices: a label map on IMAGE's grid, or JSON.")
    ],
    n: Annotated[int, typer.Option("-n", min=1, help="How many slices are named.")] = 3,
    rule: Annotated[
        str | None,
        typer.Option(help="By which rule: expected-gain, largest-gap, lowest-iou."),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(
            help="Directions: axial, coronal, sagittal; commas join. By default those that PROMPTS "
            "were drawn on; where a label map does not show its plane, this says it."
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps encoded slices, so that a second run is quick."),
    ] = None,
    series: Annotated[str | None, typer.Option(help="Which of several DICOM series.")] = None,
    structures: Annotated[
        str | None,
        typer.Option(help="Which structures of PROMPTS, by name: liver,spleen; all by default."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the suggestions as JSON.")] = False,
) -> None:
    """Segment, write nothing, and say which slices an outline would help most on.

    Slices are numbered as IMAGE's file stores them.
    """
    from voxtrail.cli.case import read_inputs
    from voxtrail.cli.progress import progress_bar
    from voxtrail.cli.segment import expected_text
    from voxtrail.io.structures import split
    from voxtrail.session import Cache, Session
    from voxtrail.session.loading import load_for
    from voxtrail.session.suggestions import RULE, SUGGESTION_RULES

    by = SUGGESTION_RULES.parse(rule or RULE)
    if axes is not None:
        config = replace(config, axes=tuple(part.strip() for part in axes.split(",")))
    inputs = read_inputs(image, prompts, config, series, split(structures), axes is not None)
    session = Session(
        inputs.scan,
        inputs.config,
        model=load_for(inputs.scan, inputs.drawn, inputs.config, quiet=quiet),
        cache=Cache.in_folder(cache) if cache else Cache.of_one_run(quality=config.quality),
    )
    session.load(inputs.drawn)
    with progress_bar(quiet=quiet) as progress:
        record = session.run(progress=progress).record
    found = [one.to_json(inputs.scan.stored) for one in session.suggest(n, by)]
    if as_json:
        expected = {
            str(label.label): asdict(label.expected_dice) if label.expected_dice else None
            for label in record.labels
        }
        said = {"suggestions": found, "expected": expected}
        sys.stdout.write(json.dumps(said, indent=2) + "\n")
        return
    for number, one in enumerate(found, 1):
        sys.stdout.write(
            f"{number}. {one['label']} {one['name']}: {one['axis']} slice {one['slice']} "
            f"(as stored): {one['reason']}\n"
        )
    if not found:
        sys.stdout.write("every slice between the outlines is outlined\n")
    for label in record.labels:
        sys.stdout.write(f"{label.label} {label.name}: {expected_text(label.expected_dice)}\n")
