"""``voxtrail export``: a model as ONNX graphs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from voxtrail.cli.progress import say


def run(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    model: Annotated[
        str, typer.Option(help="A named model, a Hugging Face id, a folder or a .pt file.")
    ] = "small",
    resolution: Annotated[
        int | None,
        typer.Option(help="Side of the model's input in pixels; the checkpoint's own by default."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Write ONNX graphs that segment without PyTorch: segment --model DIR --runtime openvino."""
    from importlib.util import find_spec

    from voxtrail.errors import OptionError

    if missing := [one for one in ("torch", "transformers", "onnxscript") if not find_spec(one)]:
        raise OptionError(
            "what writes the graphs is not installed",
            received=f"no {', '.join(missing)}",
            accepted="PyTorch, transformers and onnxscript",
            remedy="pip install 'voxtrail[export]'",
        )
    from voxtrail.io.atomic import check_new_folder
    from voxtrail.model.checkpoint_place import check_available

    check_new_folder(folder)
    check_available(model)
    from voxtrail.export import export
    from voxtrail.model.weights import load_model

    loaded = load_model(model, resolution=resolution, device="cpu", quiet=quiet)
    about = export(loaded, folder, lambda name: say(f"exporting {name}", quiet=quiet))
    sys.stdout.write(
        f"{folder}: {about.name} at {about.input_size} pixels; "
        f"voxtrail segment ... --model {folder}\n"
    )
