"""``voxtrail segment``: from a scan and a few outlined slices to a label map."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxtrail.cli.batch import Batch, print_summary
from voxtrail.cli.case import Case, Engine, carry_out, write
from voxtrail.cli.config_options import takes_config
from voxtrail.cli.executor_options import Address, ExecutorName, Workers, executor_of
from voxtrail.session.outputs import Outputs

if TYPE_CHECKING:
    from voxtrail.executors import Executor
    from voxtrail.model.base import LoadedModel
    from voxtrail.session import Config, Segmentation
    from voxtrail.session.expected_dice import ExpectedDice


@takes_config
def run(
    config: Config,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="The label map to write; of several scans, a folder."),
    ],
    image: Annotated[
        str | None,
        typer.Argument(
            help="The scan: NIfTI, NRRD, MetaImage, DICOM; or a pattern, 'ct/*.nii.gz'."
        ),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Argument(
            help="Outlined slices: a label map on IMAGE's grid, or JSON; or a pattern whose stars "
            "stand for the same as IMAGE's."
        ),
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option(
            help="Many scans: a CSV with columns image, prompts, and output, overlay, "
            "probabilities, uncertainty or any option that differs from case to case, where wanted."
        ),
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
    probabilities: Annotated[
        Path | None, typer.Option(help="Also write probabilities: NIfTI, one volume a label.")
    ] = None,
    uncertainty: Annotated[
        Path | None,
        typer.Option(
            help="Also write how unsure each voxel is, 0 to 1: NIfTI, one volume a label."
        ),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(help="Also draw outlines: a sheet of slices (.png) or a scroll (.gif)."),
    ] = None,
    executor: ExecutorName = "serial",
    address: Address = None,
    workers: Workers = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run's record.")] = False,
) -> None:
    """Carry outlined slices through a scan and write the labels on the scan's own grid.

    With --cases CASES.csv, or with two patterns, many scans: -o names a folder, what fails does
    not stop the rest (exit 1), and what an earlier run has finished is kept. With --executor ray
    workers, each with a model, share them; scans and outputs are then under the same paths for all.
    """
    from voxtrail.cli.cases import is_pattern, match_patterns, read_table
    from voxtrail.io.structures import split

    where = executor_of(executor, address, workers)
    if axes is not None:
        config = replace(config, axes=tuple(part.strip() for part in axes.split(",")))
    if cases is not None:
        if image is not None:
            raise typer.BadParameter("IMAGE and PROMPTS stand in CASES.csv, not beside --cases")
        rows = read_table(cases)
    elif image is None or prompts is None:
        raise typer.BadParameter("Missing IMAGE or PROMPTS; or name many scans with --cases")
    elif is_pattern(image) or is_pattern(prompts):
        rows = match_patterns(image, prompts)
    else:
        if not where.here:
            raise typer.BadParameter("--executor is for many scans: --cases, or two patterns")
        inputs = (Path(image), Path(prompts))
        files = Outputs(output, probabilities, uncertainty, overlay, force, inputs)
        case = Case(*inputs, files, config, series, split(structures), axes is not None)
        _segment_one(case, cache, quiet=quiet, as_json=as_json)
        return
    if probabilities or uncertainty or overlay:
        raise typer.BadParameter(
            "--probabilities, --uncertainty and --overlay name one file; "
            "of many scans they are columns of CASES.csv"
        )
    if not where.here:  # workers may have started in another folder
        rows, output = [row.absolute() for row in rows], output.absolute()
        cache = cache.absolute() if cache else None
    batch = Batch(rows, output, config, series, structures, force, axes is not None)
    _segment_many(batch, where, cache, quiet=quiet, as_json=as_json)


#: Slices that a scan of a batch is taken to have, before any is read.
SLICES_A_SCAN = 30
#: Side of the input in pixels from which on products take most of the time.
LEAST_LARGE_INPUT = 512
#: From docs/benchmarks.md (is+sps, one label; beside PyTorch's float32 and OpenVINO's) and
#: docs/shortcuts.md.
BFLOAT16_GAIN = "--precision bfloat16 takes a third to 0.7 of the time, masks Dice .996 alike"
INT8_GAIN = "--precision int8 takes about four fifths of the time, masks Dice .996 alike"


def _segment_one(case: Case, cache: Path | None, *, quiet: bool, as_json: bool) -> None:
    from voxtrail.session.loading import load_for

    inputs = case.read()
    loaded = load_for(inputs.scan, inputs.drawn, inputs.config, quiet=quiet)
    say_runtime(loaded, quiet=quiet)
    result = carry_out(case, inputs, Engine.of(loaded, cache), quiet=quiet)
    record = write(case, inputs, result, quiet=quiet)
    if as_json:
        sys.stdout.write(json.dumps(record, indent=2) + "\n")
    else:
        _report(result, case.outputs)


def _segment_many(
    batch: Batch, where: Executor, cache: Path | None, *, quiet: bool, as_json: bool
) -> None:
    from voxtrail.session.loading import load_unseen

    batch.check()
    slices = SLICES_A_SCAN * len(batch.rows)
    loaded = load_unseen(batch.config, slices=slices, quiet=quiet)
    say_runtime(loaded, quiet=quiet)
    batch.folder.mkdir(exist_ok=True)
    outcomes = batch.run(where, Engine.of(loaded, cache), cache, quiet=quiet)
    print_summary(outcomes, batch.folder, as_json=as_json)
    if any(one.result == "failed" for one in outcomes):
        raise typer.Exit(1)


def say_runtime(loaded: LoadedModel, *, quiet: bool) -> None:
    """Say what runs a model, and what would run it faster at the price of its last digits."""
    from voxtrail.cli.progress import say
    from voxtrail.model.processor import multiplies_bfloat16, multiplies_int8

    model = loaded.model
    say(f"runtime: {runtime_text(loaded)}", quiet=quiet)
    exact = model.device == "cpu" and model.shortcuts.precision == "float32"
    if not exact or model.input_size < LEAST_LARGE_INPUT:
        return
    if multiplies_bfloat16():
        say(f"this processor multiplies bfloat16: {BFLOAT16_GAIN}", quiet=quiet)
    elif model.runtime == "torch" and multiplies_int8():
        say(f"this processor does not multiply bfloat16: {INT8_GAIN}", quiet=quiet)


def runtime_text(loaded: LoadedModel) -> str:
    """Return what runs a model, with its shortcuts, in a few words."""
    model = loaded.model
    parts = [model.runtime, model.device, f"{model.input_size} pixels", model.shortcuts.precision]
    if model.shortcuts.coarse_memories:
        parts.append("coarse memories")
    if model.shortcuts.compiled:
        parts.append("compiled")
    return ", ".join(parts)


def _report(result: Segmentation, files: Outputs) -> None:
    record = result.record
    millilitres = abs(float(_voxel_ml(result)))
    for label in record.labels:
        grown = f", crop grown {label.growths}x" if label.growths else ""
        sys.stdout.write(
            f"{label.label} {label.name}: {label.voxels} voxels, "
            f"{label.voxels * millilitres:.1f} ml, {expected_text(label.expected_dice)}{grown}\n"
        )
    sys.stdout.write(
        f"{files.labels} in {record.seconds['total']:.1f} s "
        f"({record.model['name']}, {record.model['runtime']} on {record.device}). "
        "Research use only: not a medical device.\n"
    )


def expected_text(expected: ExpectedDice | None) -> str:
    """Return in a few words what Dice is to be expected."""
    if expected is None:
        return "expected Dice unknown (no outline was left out to tell)"
    outlines = "1 outline" if expected.outlines == 1 else f"{expected.outlines} outlines"
    return (
        f"expected Dice between outlines {expected.dice:.2f} +- {expected.spread:.2f} "
        f"({outlines} left out to tell)"
    )


def _voxel_ml(result: Segmentation) -> float:
    import numpy as np

    return float(np.linalg.det(result.labels.stored.affine[:3, :3])) / 1000.0
