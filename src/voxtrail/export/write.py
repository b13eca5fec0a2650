"""Writes a model's graphs, their constants and what they are into a folder."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from voxtrail.errors import OptionError
from voxtrail.export.graphs import OUTPUTS, examples, graphs, varying
from voxtrail.io.atomic import making_folder
from voxtrail.model.base import LoadedModel
from voxtrail.model.exported import CONSTANTS, DESCRIPTION, FORMAT, Description
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.torch_model import TorchSliceModel

#: Version of ONNX's operators: the first that has GELU.
OPSET = 20


def export(
    loaded: LoadedModel, folder: Path, progress: Callable[[str], None] | None = None
) -> Description:
    """Write a model's graphs into a folder that is not there yet, whole or not at all.

    Parameters
    ----------
    loaded
        A model in PyTorch, on the processor, without shortcuts: its runtime takes those.
    folder
        Made by this.
    progress
        Called with each graph's name as it is begun.

    Raises
    ------
    OutputError
        If the folder exists or cannot be made.
    OptionError
        If the model is not an exact one in PyTorch.
    """
    model = loaded.model
    if not isinstance(model, TorchSliceModel) or model.shortcuts != Shortcuts():
        raise OptionError(
            "only an exact model in PyTorch can be exported",
            received=f"{model.runtime}, {model.shortcuts}",
            accepted="runtime torch, float32",
            remedy="name the checkpoint itself",
        )
    with making_folder(folder) as partial:
        return _write(loaded, model, partial, progress)


def _write(
    loaded: LoadedModel,
    model: TorchSliceModel,
    folder: Path,
    progress: Callable[[str], None] | None,
) -> Description:
    from safetensors.torch import save_file

    inputs, dimensions = examples(model), varying()
    for name, module in graphs(model).items():
        if progress:
            progress(name)
        _write_graph(module, inputs[name], dimensions[name], OUTPUTS[name], folder / f"{name}.onnx")
    config = model.network.config
    pointer = model.network.no_object_pointer
    constants = {
        "temporal_embeddings": model.temporal_embeddings,
        "memory_position": model.memory_tokens.position[0],
        "no_memory": model.network.no_memory_embedding.flatten(),
        "no_object_pointer": pointer[0],
    }
    save_file(
        {name: value.detach().clone().contiguous() for name, value in constants.items()},
        folder / CONSTANTS,
    )
    best = model.best_of_three
    about = Description(
        name=loaded.name,
        sha256=loaded.sha256,
        input_size=model.input_size,
        channels=int(config.vision_config.fpn_hidden_size),
        best_of_three=(best.fewest, best.most),
        spec=model.spec,
        best_of_three_tracked=best.tracked,
    )
    held = {"format": FORMAT, **asdict(about)}
    (folder / DESCRIPTION).write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")
    return about


def _write_graph(
    module: nn.Module,
    inputs: dict[str, Tensor],
    dimensions: dict[str, dict[int, str]],
    outputs: tuple[str, ...],
    path: Path,
) -> None:
    import onnx

    shapes = {
        name: {place: torch.export.Dim.DYNAMIC for place in dimensions.get(name, {})} or None
        for name in inputs
    }
    with torch.no_grad(), _hushed():
        torch.onnx.export(
            module.eval(),
            kwargs=inputs,
            f=str(path),
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            external_data=False,
        )
    onnx.checker.check_model(str(path), full_check=True)


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Keep the exporter's chatter off the terminal: what it made is checked."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
