"""``voxtrail bench``: voxtrail beside the reference predictor and transformers' session."""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from voxtrail.cli.progress import say
from voxtrail.errors import OptionError

if TYPE_CHECKING:
    from voxtrail.bench import BenchPlan
    from voxtrail.bench.plan import Variant
    from voxtrail.model.shortcuts import Precision

RANDOM_SIZES = ("tiny", "small", "base-plus", "large")


def run(
    model: Annotated[
        str, typer.Option(help="An official .pt file, which sam2 reads too, or another model.")
    ] = "small",
    slices: Annotated[int, typer.Option(help="Of the stack; at least 5.")] = 11,
    labels: Annotated[int, typer.Option(help="Of the run of several labels: 2 to 9.")] = 8,
    peers: Annotated[
        str,
        typer.Option(
            help="sam2, sam2-compiled (on a GPU), transformers; commas join; empty: nobody."
        ),
    ] = "sam2,transformers",
    resolution: Annotated[int, typer.Option(help="Side of the model's input in pixels.")] = 1024,
    precision: Annotated[
        str | None,
        typer.Option(
            help="voxtrail's, on a GPU the peers' too: float32 or bfloat16; by default what the "
            "processor does well."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    repeats: Annotated[int, typer.Option(help="Interleaved rounds.")] = 3,
    variants: Annotated[
        str, typer.Option(help="Also run: coarse, compile, int8, openvino, onnx; commas join.")
    ] = "",
    random_weights: Annotated[
        bool,
        typer.Option("--random-weights", help="Draw weights of the size that --model names."),
    ] = False,
    write: Annotated[
        Path | None, typer.Option(help="Also write the tables: docs/benchmarks.md.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything measured.")] = False,
) -> None:
    """Time voxtrail and its peers on the same weights, slices and prompts, interleaved."""
    from voxtrail.bench import BenchPlan, best_precision, run_bench, write_table
    from voxtrail.io import check_writable
    from voxtrail.model.checkpoint_place import locate
    from voxtrail.model.shortcuts import Shortcuts
    from voxtrail.model.weights import resolved_device

    if write:
        check_writable(write, force=True)
    place = resolved_device(device)
    # refuses an unknown one
    kind = Shortcuts(cast("Precision", precision)).precision if precision else best_precision(place)
    if kind == "int8":
        raise OptionError(
            "the bench runs int8 beside another precision",
            received="--precision int8",
            accepted="float32 or bfloat16",
            remedy="pass --variants int8",
        )
    names = tuple(name.strip() for name in peers.split(",") if name.strip())
    others = _variants(variants)
    _check(names, model, slices, labels, repeats, random_weights=random_weights)
    if resolution % 64 or not 128 <= resolution <= 2048:
        raise OptionError(
            "the bench also runs at half the resolution",
            received=resolution,
            accepted="a multiple of 64 from 128 to 2048",
            remedy="pass for example --resolution 1024",
        )
    with tempfile.TemporaryDirectory() as folder:
        weights = model
        if random_weights:
            from voxtrail.bench.peers import write_random_weights

            weights = str(Path(folder) / f"random-{model}.pt")
            write_random_weights(model, Path(weights))
        locate(weights, quiet=quiet)  # before a process is started that would not find it
        exported, not_exported = None, ""
        if {"openvino", "onnx"} & set(others):
            exported, not_exported = _export(
                weights, resolution, Path(folder) / "exported", quiet=quiet
            )
        plan = BenchPlan(
            weights=weights,
            resolution=resolution,
            slices=slices,
            labels=labels,
            peers=names,  # type: ignore[arg-type]  # checked above
            precision=kind,
            device=place,
            repeats=repeats,
            variants=others,
            exported=exported,
            not_exported=not_exported,
        )
        result: dict[str, Any] = {}

        def keep(found: dict[str, Any]) -> None:
            result.update(found)
            if write:
                write_table(found, _command(plan, model, random_weights), write)

        try:
            keep(run_bench(plan, lambda line: say(line, quiet=quiet), keep))
        finally:  # interrupted, too
            if result:
                _report(result, as_json=as_json)
    if result["failed"]:
        raise typer.Exit(1)


def _variants(text: str) -> tuple[Variant, ...]:
    from voxtrail.bench.plan import VARIANTS

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if wrong := [name for name in names if name not in VARIANTS]:
        raise OptionError(
            "the bench knows no such variant",
            received=", ".join(wrong),
            accepted=", ".join(VARIANTS),
            remedy="name some of them with --variants",
        )
    return cast("tuple[Variant, ...]", names)


def _export(weights: str, resolution: int, folder: Path, *, quiet: bool) -> tuple[str | None, str]:
    """Return where the model is exported to, or None and why it cannot be."""
    from voxtrail.model.weights import load_model

    loaded = load_model(weights, resolution=resolution, device="cpu", quiet=quiet)
    try:
        from voxtrail.export import export

        export(loaded, folder, lambda name: say(f"exporting {name}", quiet=quiet))
    except Exception as error:  # whatever a library raises: the variants' rows say it
        return None, f"it cannot be exported: {type(error).__name__} {' '.join(str(error).split())}"
    return str(folder), ""


def _check(
    peers: tuple[str, ...],
    model: str,
    slices: int,
    labels: int,
    repeats: int,
    *,
    random_weights: bool,
) -> None:
    from voxtrail.bench.plan import Peer

    wrong = [name for name in peers if name not in get_args(Peer)]
    if wrong or slices < 5 or not 2 <= labels <= 9 or repeats < 1:
        raise OptionError(
            "the bench cannot be run so",
            received=f"--peers {','.join(peers)} --slices {slices} --labels {labels} "
            f"--repeats {repeats}",
            accepted=f"{', '.join(get_args(Peer))}; 5 slices, 2 to 9 labels, 1 repeat or more",
            remedy="change what is out of range",
        )
    if random_weights and model not in RANDOM_SIZES:
        raise OptionError(
            "random weights are drawn for a published size",
            received=model,
            accepted=", ".join(RANDOM_SIZES),
            remedy="name a size with --model",
        )
    reference = any(name.startswith("sam2") for name in peers)
    if (reference or random_weights) and not find_spec("sam2"):
        raise OptionError(
            "the reference predictor is not installed",
            received="no package sam2",
            accepted="sam2 1.1.0",
            remedy="pip install --no-deps sam2==1.1.0 hydra-core iopath, or --peers transformers",
        )
    if reference and not random_weights and Path(model).suffix != ".pt":
        raise OptionError(
            "the reference predictor reads official checkpoints only",
            received=model,
            accepted="a .pt file, or --random-weights",
            remedy="name one with --model, or --peers transformers",
        )


def _command(plan: BenchPlan, model: str, random_weights: bool) -> str:
    name = Path(model).name + (" --random-weights" if random_weights else "")
    return (
        f"voxtrail bench --model {name} --slices {plan.slices} --labels {plan.labels} "
        f"--peers {','.join(plan.peers)} --resolution {plan.resolution} "
        f"--precision {plan.precision} --device {plan.device} --repeats {plan.repeats}"
        + (f" --variants {','.join(plan.variants)}" if plan.variants else "")
    )


def _report(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
        return
    for one in result["runs"]:
        floor = one["ceiling_seconds_per_slice"]
        sys.stdout.write(
            f"{one['key']:<20}{one['runtime']:<18}{one['seconds_per_slice']:8.3g} s a slice"
            + (f", floor {floor:.3g}" if floor else "")
            + (f", peak {one['peak_mib']} MiB" if one["peak_mib"] else "")
            + (f", {one['encoded']} encoded" if one["encoded"] is not None else "")
            + (f", {one['tracked']} tracked" if one["tracked"] is not None else "")
            + "\n"
        )
    for key, reason in result["failed"].items():
        sys.stdout.write(f"{key:<20}cannot run: {reason}\n")
    for title, values in (("ratio", result["ratios"]), ("Dice", result["agreement_dice"])):
        for name, value in values.items():
            sys.stdout.write(f"{title} {name}: {value}\n")
