"""Modules that are captured as CUDA graphs.

At one label a slice's kernels are so short that a GPU waits for Python to launch the next one. A
CUDA graph launches all of a module's kernels at once; they are the same, and so is the result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

#: Graphs kept of one module, one for each combination of input shapes; the least recently used
#: goes first. A pass meets one for each number of memories and pointers: some twenty.
MAX_GRAPHS = 64


@dataclass(frozen=True, eq=False)
class _Graph:
    graph: torch.cuda.CUDAGraph
    inputs: list[Tensor]
    outputs: tuple[Tensor, ...]


class CudaGraphed:
    """Calls a module; on a GPU, from the second call with inputs of some shapes on, in one piece.

    Parameters
    ----------
    module
        Takes tensors, the first of which tells where it runs, and plain values; returns a tensor or
        a tuple of tensors; waits for nothing.
    """

    #: Off where something has to see every operation, such as a counter of them.
    enabled: ClassVar[bool] = True

    def __init__(self, module: Callable[..., Any]) -> None:
        self._module = module
        self._seen: set[tuple[object, ...]] = set()
        self._graphs: OrderedDict[tuple[object, ...], _Graph] = OrderedDict()
        self._pool: Any = None
        self._held: dict[tuple[int, torch.dtype], Tensor] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Return what the module returns of its arguments."""
        if not (self.enabled and arguments[0].is_cuda):
            return self._module(*arguments)
        key = tuple((one.shape, one.dtype) if isinstance(one, Tensor) else one for one in arguments)
        if key not in self._seen:  # many shapes occur only once
            self._seen.add(key)
            return self._module(*arguments)
        if key not in self._graphs:
            self._graphs[key] = self._capture(arguments)
            if len(self._graphs) > MAX_GRAPHS:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(key)
        captured = self._graphs[key]
        given = (one for one in arguments if isinstance(one, Tensor))
        for held, one in zip(captured.inputs, given, strict=True):
            held.copy_(one)
        captured.graph.replay()
        # Copies: the next launch, of this or another graph, writes to the same memory.
        outputs = tuple(one.clone() for one in captured.outputs)
        return outputs if len(outputs) > 1 else outputs[0]

    def _capture(self, arguments: tuple[Any, ...]) -> _Graph:
        held = [
            self._hold(place, one) if isinstance(one, Tensor) else one
            for place, one in enumerate(arguments)
        ]
        graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            # Libraries set themselves up in a first call, which a capture may not contain.
            self._module(*held)
            # Not `torch.cuda.graph`, which gives back all unused memory before it captures.
            # Graphs share theirs: one is launched at a time.
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                outputs = self._module(*held)
            finally:
                graph.capture_end()
        torch.cuda.current_stream().wait_stream(side)
        self._pool = graph.pool()
        whole = outputs if isinstance(outputs, tuple) else (outputs,)
        return _Graph(graph, [one for one in held if isinstance(one, Tensor)], whole)

    def _hold(self, place: int, given: Tensor) -> Tensor:
        """Copy an argument to where graphs read it: all in the same memory, if it is enough."""
        kept = self._held.get((place, given.dtype))
        if kept is None or kept.numel() < given.numel():
            kept = self._held[place, given.dtype] = given.new_empty(given.numel())
        return kept[: given.numel()].view(given.shape).copy_(given)
