"""Exported graphs in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voxtrail.errors import OptionError
from voxtrail.model.exported import Array
from voxtrail.model.shortcuts import Shortcuts


class OnnxRuntime:
    """ONNX Runtime on the processor, in float32.

    Parameters
    ----------
    shortcuts
        None can be taken here.

    Raises
    ------
    OptionError
        If one was asked for.
    """

    runtime = "onnx"

    def __init__(self, shortcuts: Shortcuts) -> None:
        import onnxruntime

        if shortcuts != Shortcuts():
            raise OptionError(
                "ONNX Runtime takes no shortcuts",
                received=str(shortcuts),
                accepted="float32, exact memories, not compiled",
                remedy="leave them out, or take --runtime openvino for bfloat16",
            )
        self._library = onnxruntime
        self.arithmetic = f"onnxruntime {onnxruntime.__version__} float32"

    def open(self, graph: Path) -> OnnxGraphRunner:
        """Open a graph's file."""
        options = self._library.SessionOptions()
        options.log_severity_level = 3  # errors only
        # Memory that a batch of many labels needed once would be kept otherwise.
        options.enable_cpu_mem_arena = False
        return OnnxGraphRunner(
            self._library.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        )


class OnnxGraphRunner:
    """One graph."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return the graph's outputs in their order."""
        found = self._session.run(
            None, {name: np.asarray(one, order="C") for name, one in inputs.items()}
        )
        return list(found)
