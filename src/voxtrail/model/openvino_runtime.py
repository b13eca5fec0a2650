"""Exported graphs in OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voxtrail.errors import OptionError
from voxtrail.model.exported import Array
from voxtrail.model.shortcuts import Shortcuts


class OpenVinoRuntime:
    """OpenVINO on the processor, in float32 or bfloat16.

    Parameters
    ----------
    shortcuts
        Only the precision can be chosen here.

    Raises
    ------
    OptionError
        If another shortcut was asked for, or the processor has no bfloat16.
    """

    runtime = "openvino"

    def __init__(self, shortcuts: Shortcuts) -> None:
        import openvino

        self._core = openvino.Core()
        able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        kinds = {"float32": "f32", "bfloat16": "bf16"}
        if shortcuts.precision not in kinds:
            raise OptionError(
                "an exported model runs in no such precision",
                received=f"--precision {shortcuts.precision}",
                accepted="float32 or bfloat16",
                remedy="leave --precision out",
            )
        if shortcuts.coarse_memories or shortcuts.compiled:
            raise OptionError(
                "an exported model takes no other shortcut than its precision",
                received=str(shortcuts),
                accepted="float32 or bfloat16, exact memories, not compiled",
                remedy="leave the others out",
            )
        if shortcuts.precision == "bfloat16" and "BF16" not in able:
            raise OptionError(
                "this processor does not multiply bfloat16",
                received=shortcuts.precision,
                accepted="float32",
                remedy="leave --precision out",
            )
        kind = kinds[shortcuts.precision]
        self._settings = {"INFERENCE_PRECISION_HINT": kind, "PERFORMANCE_HINT": "LATENCY"}
        version = openvino.get_version().split("-")[0]
        self.arithmetic = f"openvino {version} {shortcuts.precision}"

    def open(self, graph: Path) -> OpenVinoGraphRunner:
        """Open a graph's file."""
        return OpenVinoGraphRunner(self._core.compile_model(str(graph), "CPU", self._settings))


class OpenVinoGraphRunner:
    """One graph."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return the graph's outputs in their order."""
        found = self._compiled({name: np.asarray(one, order="C") for name, one in inputs.items()})
        # Copies: the next run writes to the same memory.
        return [np.array(found[output]) for output in self._compiled.outputs]
