"""``voxtrail study``: the paper's experiments and ours, run, resumed and reported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxtrail.cli.executor_options import Address, ExecutorName, Workers, executor_of
from voxtrail.errors import WorkError

if TYPE_CHECKING:
    from voxtrail.study.runner import StudyRequest

app = typer.Typer(help="Run the paper's experiments on a dataset and report them.")


@app.command("list")
def list_experiments() -> None:
    """List the experiments: name, place in the paper, hypothesis, minutes of the committed run."""
    from voxtrail.study.experiments import every_experiment

    for item in every_experiment().values():
        minutes = f"{item.recorded.minutes:g} min" if item.recorded else "-"
        sys.stdout.write(f"{item.name}\t{item.place}\thypothesis: {item.hypothesis}\t{minutes}\n")


@app.command("run")
def run(
    names: Annotated[list[str], typer.Argument(help="Experiments, or all.")],
    manifest: Annotated[Path, typer.Option(help="The structures: see 'dataset sample'.")],
    root: Annotated[Path, typer.Option(help="The dataset that the manifest was drawn from.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The study's folder; an earlier run goes on.")
    ],
    executor: ExecutorName = "serial",
    address: Address = None,
    workers: Workers = None,
    model: Annotated[str, typer.Option(help="As in 'voxtrail segment'.")] = "small",
    resolution: Annotated[
        int | None,
        typer.Option(help="Side of the model's input in pixels; the checkpoint's own by default."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    margin: Annotated[float, typer.Option(help="mm around each structure's box.")] = 20.0,
    cache: Annotated[
        Path | None,
        typer.Option(help="A folder for encoded slices, found again by later runs; large."),
    ] = None,
    per_type: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many of each bone type.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Take only what failed before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print cases, encodings and an estimate; run nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Run experiments; what is recorded already is not run again."""
    from voxtrail.cli.progress import progress_bar, say
    from voxtrail.datasets.manifest import read_manifest
    from voxtrail.preprocess import check_margin
    from voxtrail.study.experiments import experiments
    from voxtrail.study.runner import StudyRequest
    from voxtrail.study.runner import run as run_study
    from voxtrail.study.settings import Settings

    check_margin(margin)
    request = StudyRequest(
        experiments=experiments(names),
        manifest=read_manifest(manifest),
        per_type=per_type,
        settings=Settings(root, model, resolution, device, margin, cache),
        folder=output,
        retry_failed=retry_failed,
    )
    where = executor_of(executor, address, workers)
    if dry_run:
        _print_plan(request)
        return
    with progress_bar(quiet=quiet, unit="tasks") as progress:
        summary = run_study(request, where, progress)
    rows = summary.rows
    if rows["not-run"]:
        say(f"warning: {rows['not-run']} rows not run: weights or a package are missing; the "
            "records say which", quiet=quiet)  # fmt: skip
    sys.stdout.write(
        f"{output}: {rows['done']} rows done, {summary.copied} copied from the same task, "
        f"{rows['not-run']} not run, {rows['failed']} failed; {summary.finished} were there. "
        "Research use only: not a medical device.\n"
    )
    if rows["failed"]:
        raise WorkError(
            f"{rows['failed']} rows failed; their records hold the tracebacks, and --retry-failed "
            "takes only those"
        )


def _print_plan(request: StudyRequest) -> None:
    from voxtrail.study.estimate import estimate_s, trial
    from voxtrail.study.plan import encodings
    from voxtrail.study.runner import prepare

    left, loaded = prepare(request)
    margin = request.settings.margin_mm
    structures = [group.item for group in left.groups if group.item is not None]
    sys.stdout.write(
        f"{len(structures)} cases of {len({item.case for item in structures})} subjects, "
        f"{left.num_tasks} tasks; {left.finished} rows are there\n"
    )
    for (model, size, window, axis), count in encodings(left.groups, margin).items():
        name = model or request.settings.model
        sys.stdout.write(
            f"encodings: {count} {axis} slices, {name}, {size or loaded.model.input_size} pixels, "
            f"{window}\n"
        )
    rates = trial(loaded)
    encoding, tracking = estimate_s(left.groups, margin, rates, loaded.model.input_size)
    sys.stdout.write(
        f"estimate: {(encoding + tracking) / 60:.0f} min on {loaded.model.device} "
        f"({encoding / 60:.0f} encoding, {tracking / 60:.0f} tracking), from a trial at "
        f"{rates.encoding_s:.3f} and {rates.tracking_s:.3f} s a slice\n"
    )


@app.command("report")
def report(
    folder: Annotated[Path, typer.Argument(help="The folder that 'study run' wrote to.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where it goes; FOLDER/report by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report.")] = False,
) -> None:
    """Write tables, figures and picture sheets as HTML, Markdown, CSV, LaTeX, SVG and PNG."""
    from voxtrail.study.report.build import build

    page = build(folder, output or folder / "report", force)
    sys.stdout.write(f"{page}. Research use only: not a medical device.\n")
