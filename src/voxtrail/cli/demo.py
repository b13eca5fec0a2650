"""``voxtrail demo``: the whole way on a synthetic scan, from outlines to scores."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from voxtrail.errors import OutputError

FILES = ("ct.nii.gz", "truth.nii.gz", "prompts.nii.gz", "segmentation.nii.gz",
         "segmentation.json", "overlay.png", "scores.json")  # fmt: skip


def run(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The folder to write to; made if need be.")
    ] = Path("demo"),
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier demo.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Segment a synthetic CT from three outlined slices a bone with the bundled checkpoint."""
    import numpy as np

    from voxtrail.cli.evaluate import print_scores
    from voxtrail.cli.progress import progress_bar, say
    from voxtrail.core.volume import LabelMap, Volume
    from voxtrail.datasets.phantom import demo_subject
    from voxtrail.evaluate import evaluate, simulate
    from voxtrail.io import check_writable, replacing, write, write_prompts
    from voxtrail.session import Config, segment
    from voxtrail.session.outputs import Outputs

    _make_folder(output)
    places = {name: output / name for name in FILES}
    for place in places.values():
        check_writable(place, force)
    say("making a synthetic CT of a pelvis", quiet=quiet)
    subject = demo_subject()
    ct = Volume.from_stored(subject.hu, subject.affine)
    voxels = np.zeros(subject.hu.shape, dtype=np.uint8)
    names = dict(enumerate(sorted(subject.masks), start=1))
    for label, name in names.items():
        voxels[subject.masks[name]] = label
    truth = LabelMap.from_stored(voxels, subject.affine, names)
    drawn = simulate(truth, "first-middle-last")
    with progress_bar(quiet=quiet) as progress:
        result = segment(ct, drawn, Config(model="micro"), progress=progress)
    scores = evaluate(result.labels, truth, drawn)
    write(ct, places["ct.nii.gz"], force)
    write(truth, places["truth.nii.gz"], force)
    write_prompts(drawn, places["prompts.nii.gz"], force)
    outputs = Outputs(places["segmentation.nii.gz"], overlay=places["overlay.png"], force=force)
    outputs.write(ct, drawn, result)
    note = {"checkpoint": "micro (bundled; not SAM 2)", "scan": "synthetic phantom"}
    with replacing(places["scores.json"], force) as place:
        place.write_text(json.dumps({**note, **scores.to_json()}, indent=2) + "\n")
    if scores.unprompted is not None:
        print_scores("un-prompted slices", scores.unprompted)
    sys.stdout.write(
        "Checkpoint micro (bundled; its scores are not SAM 2's), synthetic scan.\n"
        f"Look at {places['overlay.png']}; all files are in {output}. "
        "Research use only: not a medical device.\n"
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "the demo's folder cannot be made",
            received=f"{folder} ({error.strerror})",
            accepted="a folder, or a name that is free",
            remedy="choose another with -o",
        ) from error
