"""From a model's name or path to something that segments, whatever runs it."""

from __future__ import annotations

import os
import platform
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from voxtrail.errors import OptionError
from voxtrail.model.base import LoadedModel
from voxtrail.model.catalogue import CATALOGUE
from voxtrail.model.checkpoint_place import check_available
from voxtrail.model.exported import DESCRIPTION, Description, ExportedModel, GraphRuntime
from voxtrail.model.processor import multiplies_bfloat16, multiplies_int8
from voxtrail.model.shortcuts import Shortcuts

#: What can run a model. ``auto`` takes the fastest that is installed and can run what was named.
Runtime = Literal["auto", "torch", "onnx", "openvino"]
#: What runs exported models, and the package of each; the quicker one in docs/benchmarks.md first.
EXPORTED_RUNTIMES = {"openvino": "openvino", "onnx": "onnxruntime"}


def load(
    name: str,
    *,
    resolution: int | None = None,
    device: str = "auto",
    runtime: Runtime = "auto",
    shortcuts: Shortcuts | None = None,
    quiet: bool = True,
) -> LoadedModel:
    """Load a frozen model into the runtime that was asked for.

    Parameters
    ----------
    name
        See `voxtrail.model.weights.load_model`.
    resolution
        Side of the square input in pixels; None takes the checkpoint's own.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    runtime
        What runs it.
    shortcuts
        Where to compute less than the reference; by default nowhere.
    quiet
        Whether a download shows no progress bar.

    Raises
    ------
    WeightsError, OptionError
        If the model, the device or the runtime cannot be had.
    """
    shortcuts = shortcuts or Shortcuts()
    folder = Path(name)
    if os.path.isfile(folder / DESCRIPTION):
        return _exported(folder, name, resolution, device, runtime, shortcuts)
    if runtime not in ("auto", "torch"):
        raise OptionError(
            f"{runtime} runs exported models only",
            received=f"--model {name}",
            accepted="a folder that 'voxtrail export' made",
            remedy=f"voxtrail export DIR --model {name}, then --model DIR",
        )
    if not (find_spec("torch") and find_spec("transformers")):
        raise OptionError(
            "this model needs PyTorch and transformers, which are not installed",
            received=f"--model {name}",
            accepted="a folder that 'voxtrail export' made, where they are missing",
            remedy="pip install torch transformers, or export the model on another machine",
        )
    check_available(name)
    from voxtrail.model.weights import load_model, resolved_device

    where = resolved_device(device)
    if shortcuts.precision == "bfloat16" and where == "cpu":
        _check_bfloat16()
    if shortcuts.precision == "int8":
        _check_int8(where)
    return load_model(name, resolution=resolution, device=device, shortcuts=shortcuts, quiet=quiet)


def _check_bfloat16() -> None:
    if not multiplies_bfloat16():
        raise OptionError(
            "this processor does not multiply bfloat16, and to emulate it takes hundreds of times "
            "as long",
            received="--precision bfloat16",
            accepted="float32, or a processor with AVX512-BF16, AMX or Arm's BF16",
            remedy="leave --precision out, or pass --precision int8",
        )


def _check_int8(device: str) -> None:
    if device != "cpu" or not multiplies_int8():
        raise OptionError(
            "int8 is for x86 processors",
            received=f"--precision int8 on {device} of {platform.machine()}",
            accepted="float32 or bfloat16",
            remedy="leave --precision out",
        )


def _exported(
    folder: Path,
    name: str,
    resolution: int | None,
    device: str,
    runtime: Runtime,
    shortcuts: Shortcuts,
) -> LoadedModel:
    about = Description.read(folder)
    if resolution not in (None, about.input_size) or device not in ("auto", "cpu"):
        raise OptionError(
            "an exported model has one input size and runs on the processor",
            received=f"--resolution {resolution} --device {device}",
            accepted=f"{about.input_size}, cpu",
            remedy="leave both out, or export the model with another --resolution",
        )
    installed = [one for one in EXPORTED_RUNTIMES if find_spec(EXPORTED_RUNTIMES[one])]
    if runtime == "torch" or not installed or (runtime != "auto" and runtime not in installed):
        raise OptionError(
            f"the exported model cannot be run by {runtime}",
            received=f"--runtime {runtime}; installed: {', '.join(installed) or 'none'}",
            accepted=", ".join(EXPORTED_RUNTIMES),
            remedy="pip install 'voxtrail[openvino]' or 'voxtrail[onnx]'",
        )
    graph_runtime: GraphRuntime
    if (installed[0] if runtime == "auto" else runtime) == "openvino":
        from voxtrail.model.openvino_runtime import OpenVinoRuntime

        graph_runtime = OpenVinoRuntime(shortcuts)
    else:
        from voxtrail.model.onnx_runtime import OnnxRuntime

        graph_runtime = OnnxRuntime(shortcuts)
    model = ExportedModel(folder, graph_runtime, shortcuts)
    return LoadedModel(model, name, str(folder), about.sha256)


def nearest_input(name: str, size: int) -> int:
    """Return the input size nearest to ``size`` that a named model takes, in pixels.

    What a folder or a file takes is not known before it is read: of those it is ``size``.
    """
    if name not in CATALOGUE:
        return size
    from voxtrail.model.families import FAMILIES  # needs PyTorch, as every named model does

    return FAMILIES.parse(CATALOGUE[name].family).spec.nearest(size)
