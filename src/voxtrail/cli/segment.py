"""``voxtrail segment``: from a scan and a few outlined slices to a label map."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from voxtrail.cli.batch import Batch, print_summary
from voxtrail.cli.case import Case, Engine, carry_out, write
from voxtrail.cli.outputs import Outputs
from voxtrail.cli.usages import usages
from voxtrail.memory import PROMPT_MEMORIES, RECENT_MEMORIES

if TYPE_CHECKING:
    from voxtrail.model.base import LoadedModel
    from voxtrail.session import Segmentation


def run(
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
            "probabilities or any option that differs from case to case, where wanted."
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="small, tiny, base-plus, large (SAM 2.1), the same with -2.0, micro (bundled), "
            "a Hugging Face id, a folder or a .pt file."
        ),
    ] = "small",
    preset: Annotated[
        str, typer.Option(help="is+sps+shape, or the paper's: is+sps, baseline, sps, is.")
    ] = "is+sps+shape",
    prompt_memory: Annotated[
        str | None,
        typer.Option(help=f"Prompted slices attended to: {usages(PROMPT_MEMORIES)}."),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(help=f"Tracked slices attended to: {usages(RECENT_MEMORIES)}."),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(help="What outlines say of the slices between them: none, shape."),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(
            help="Directions: axial, coronal, sagittal; commas join. By default those that PROMPTS "
            "were drawn on; where a label map does not show its plane, this says it."
        ),
    ] = None,
    direction: Annotated[str, typer.Option(help="forward, or both ways.")] = "forward",
    extent: Annotated[
        str | None,
        typer.Option(
            help="Stop at the outermost prompts (default with two or more), where the object "
            "is gone (default with one), or at the scan's ends: prompts, object, all."
        ),
    ] = None,
    window: Annotated[
        str,
        typer.Option(
            help="bone, soft, lung, brain, LEVEL,WIDTH in HU, none, clahe; +clahe follows a window."
        ),
    ] = "bone",
    crop: Annotated[
        str | None,
        typer.Option(
            help="A crop that follows each label, one that stays, one around all labels, or none: "
            "follow (default of is+sps+shape), label, all, none."
        ),
    ] = None,
    roi: Annotated[
        str | None, typer.Option(help="x0:x1,y0:y1,z0:z1 in stored voxels; nothing leaves it.")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            help="mm left around what was drawn: 20, or what fits the section where the crop "
            "follows."
        ),
    ] = None,
    resolution: Annotated[
        str | None,
        typer.Option(
            help="Side of the model's input in pixels, or auto: four a voxel of the crop, 256 to "
            "1024; the checkpoint's own by default."
        ),
    ] = None,
    fuse: Annotated[
        str, typer.Option(help="How passes become one: mean-logit, mean-probability.")
    ] = "mean-logit",
    overlap: Annotated[
        str,
        typer.Option(help="Labels compete for a voxel, or are kept apart (one more file each)."),
    ] = "compete",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    runtime: Annotated[
        str,
        typer.Option(help="What runs the model: auto, torch, or, if exported, openvino or onnx."),
    ] = "auto",
    precision: Annotated[
        str,
        typer.Option(help="Of matrix products: float32, or bfloat16, which is faster and coarser."),
    ] = "float32",
    coarse_memories: Annotated[
        bool, typer.Option("--coarse-memories", help="Remember at half the resolution: faster.")
    ] = False,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Let PyTorch compile the model: minutes once.")
    ] = False,
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
    overlay: Annotated[
        Path | None,
        typer.Option(help="Also draw outlines: a sheet of slices (.png) or a scroll (.gif)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run's record.")] = False,
) -> None:
    """Carry outlined slices through a scan and write the labels on the scan's own grid.

    With --cases CASES.csv, or with two patterns, many scans: -o names a folder, what fails does
    not stop the rest (exit 1), and what an earlier run has finished is kept.
    """
    from voxtrail.cli.cases import is_pattern, match_patterns, read_table
    from voxtrail.io.structures import split
    from voxtrail.session import Config

    config = Config(
        model=model,
        preset=preset,
        prompt_memory=prompt_memory,
        memory=memory,
        prior=prior,
        axes=tuple(part.strip() for part in (axes or "axial").split(",")),
        direction=direction,  # type: ignore[arg-type]  # Config checks it
        extent=extent,  # type: ignore[arg-type]
        window=window,
        crop=crop,  # type: ignore[arg-type]
        margin_mm=margin,
        roi=roi,
        resolution=_resolution(resolution),
        fuse=fuse,
        overlap=overlap,  # type: ignore[arg-type]
        device=device,
        runtime=runtime,  # type: ignore[arg-type]
        precision=precision,  # type: ignore[arg-type]
        coarse_memories=coarse_memories,
        compiled=compiled,
    )
    if cases is not None:
        if image is not None:
            raise typer.BadParameter("IMAGE and PROMPTS stand in CASES.csv, not beside --cases")
        rows = read_table(cases)
    elif image is None or prompts is None:
        raise typer.BadParameter("Missing IMAGE or PROMPTS; or name many scans with --cases")
    elif is_pattern(image) or is_pattern(prompts):
        rows = match_patterns(image, prompts)
    else:
        inputs = (Path(image), Path(prompts))
        files = Outputs(output, probabilities, overlay, force, inputs)
        case = Case(*inputs, files, config, series, split(structures), axes is not None)
        _segment_one(case, cache, quiet=quiet, as_json=as_json)
        return
    if probabilities or overlay:
        raise typer.BadParameter(
            "--probabilities and --overlay name one file; "
            "of many scans they are columns of CASES.csv"
        )
    batch = Batch(rows, output, config, series, structures, force, axes is not None)
    _segment_many(batch, cache, quiet=quiet, as_json=as_json)


def _segment_one(case: Case, cache: Path | None, *, quiet: bool, as_json: bool) -> None:
    from voxtrail.cli.progress import say
    from voxtrail.session.loading import load_for

    inputs = case.read()
    loaded = load_for(inputs.scan, inputs.drawn, inputs.config, quiet=quiet)
    say(f"runtime: {runtime_text(loaded)}", quiet=quiet)
    result = carry_out(case, inputs, Engine.of(loaded, cache), quiet=quiet)
    record = write(case, inputs, result, quiet=quiet)
    if as_json:
        sys.stdout.write(json.dumps(record, indent=2) + "\n")
    else:
        _report(result, case.outputs)


def _segment_many(batch: Batch, cache: Path | None, *, quiet: bool, as_json: bool) -> None:
    from voxtrail.cli.progress import say
    from voxtrail.session.loading import load_unseen

    batch.check()
    loaded = load_unseen(batch.config, quiet=quiet)
    say(f"runtime: {runtime_text(loaded)}", quiet=quiet)
    engine = Engine.of(loaded, cache)
    batch.folder.mkdir(exist_ok=True)
    outcomes = batch.run(engine, quiet=quiet)
    print_summary(outcomes, batch.folder, as_json=as_json)
    if any(one.result == "failed" for one in outcomes):
        raise typer.Exit(1)


def runtime_text(loaded: LoadedModel) -> str:
    """Return what runs a model, with its shortcuts, in a few words."""
    model = loaded.model
    parts = [model.runtime, model.device, f"{model.input_size} pixels", model.shortcuts.precision]
    if model.shortcuts.coarse_memories:
        parts.append("coarse memories")
    if model.shortcuts.compiled:
        parts.append("compiled")
    return ", ".join(parts)


def _resolution(text: str | None) -> int | Literal["auto"] | None:
    from voxtrail.errors import OptionError

    if text is None:
        return None
    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise OptionError(
            "the resolution is no number",
            received=text,
            accepted="a multiple of 32 from 64 to 2048, or auto",
            remedy="pass for example --resolution 512",
        ) from None


def _report(result: Segmentation, files: Outputs) -> None:
    record = result.record
    millilitres = abs(float(_voxel_ml(result)))
    for label in record.labels:
        grown = f", crop grown {label.growths}x" if label.growths else ""
        sys.stdout.write(
            f"{label.label} {label.name}: {label.voxels} voxels, "
            f"{label.voxels * millilitres:.1f} ml{grown}\n"
        )
    sys.stdout.write(
        f"{files.labels} in {record.seconds['total']:.1f} s "
        f"({record.model['name']}, {record.model['runtime']} on {record.device}). "
        "Research use only: not a medical device.\n"
    )


def _voxel_ml(result: Segmentation) -> float:
    import numpy as np

    return float(np.linalg.det(result.labels.stored.affine[:3, :3])) / 1000.0
