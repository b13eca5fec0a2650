"""One contender in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from voxtrail.bench.plan import EXPORTED, BenchPlan, Job, scene
from voxtrail.core.axis import Axis
from voxtrail.core.peak_memory import peak_memory
from voxtrail.core.prompts import MaskPrompt
from voxtrail.core.stopwatch import Stopwatch, synchronizer
from voxtrail.model.base import LoadedModel
from voxtrail.model.cuda_graphed import CudaGraphed
from voxtrail.model.loading import Runtime
from voxtrail.model.shortcuts import Precision, Shortcuts
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.session import Cache, Config, segment

WARM_UP_SLICES = 5
#: What a run is looked at for: its seconds; those of its components, for which a GPU is waited for
#: after each, which takes longer; or its floating-point operations, which takes longer yet.
Look = Literal["seconds", "components", "flops"]


@dataclass(frozen=True, eq=False)
class Measured:
    """One run.

    Parameters
    ----------
    job
        What ran.
    seconds
        In all.
    peak_mib
        Greatest memory while it ran: resident, or on the GPU; None where the system does not tell.
    components
        Seconds by component; on a GPU they mean something where these were looked for.
    flops
        Floating-point operations of matrix products and convolutions, where they were counted.
    masks
        (slices, rows, columns) bool of the first label.
    """

    job: Job
    seconds: float
    peak_mib: float | None
    components: dict[str, float]
    flops: int | None
    masks: NDArray[np.bool_]


class Worker:
    """Holds a contender's model and runs jobs on it.

    Parameters
    ----------
    plan
        What the bench runs.
    job
        The first of the jobs that it will run.
    """

    def __init__(self, plan: BenchPlan, job: Job) -> None:
        self._plan = plan
        self._cache = Cache()
        self._peer: Any = None
        self._loaded: LoadedModel | None = None
        if job.who == "voxtrail":
            from voxtrail.model.loading import load

            exported = job.variant in EXPORTED
            self._loaded = load(
                cast(str, plan.exported) if exported else plan.weights,
                resolution=job.resolution,
                device="cpu" if exported else plan.device,
                runtime=cast(Runtime, job.variant) if exported else "torch",
                shortcuts=Shortcuts(
                    cast(Precision, job.precision),
                    coarse_memories=job.variant == "coarse",
                    compiled=job.variant == "compile",
                ),
            )
        else:
            from voxtrail.bench.peers import Sam2Peer, TransformersPeer

            peers = {"sam2": Sam2Peer, "transformers": TransformersPeer}
            self._peer = peers[job.who](plan.weights, job.resolution, plan.device)
            # Warmed up on a few slices; voxtrail warms up while its operations are counted.
            self._masks(job, *scene(replace(plan, slices=WARM_UP_SLICES), 1))

    @property
    def _stopwatch(self) -> Stopwatch:
        held = self._peer or cast(LoadedModel, self._loaded).model
        return cast(Stopwatch, held.stopwatch)

    def run(self, job: Job, look: Look = "seconds") -> Measured:
        """Run one job."""
        corrected = job.cached == "again" and job.memory is None
        volume, prompts = scene(self._plan, job.labels, corrected=corrected)
        whole, stopwatch = Stopwatch(synchronizer(self._plan.device)), self._stopwatch
        CudaGraphed.enabled = look != "flops"
        stopwatch.synchronize = whole.synchronize if look == "components" else None
        before = dict(stopwatch.seconds)
        counter = None
        with peak_memory(self._plan.device) as peak_mib:
            start = whole.now()
            if look == "flops":
                from torch.utils.flop_counter import FlopCounterMode

                with FlopCounterMode(display=False) as counter:
                    masks = self._masks(job, volume, prompts)
            else:
                masks = self._masks(job, volume, prompts)
            seconds = whole.now() - start
            peak = peak_mib()
        return Measured(
            job,
            seconds,
            peak,
            {name: spent - before.get(name, 0.0) for name, spent in stopwatch.seconds.items()},
            counter.get_total_flops() if counter else None,
            masks,
        )

    def _masks(self, job: Job, volume: Any, prompts: Any) -> NDArray[np.bool_]:
        if self._peer is not None:
            stack = np.ascontiguousarray(Axis.AXIAL.to_stack(volume.voxels), dtype=np.float32)
            drawn = [one for one in prompts.prompts if isinstance(one, MaskPrompt)]
            cast_to = torch.bfloat16 if job.precision == "bfloat16" else None
            with torch.autocast(self._plan.device, cast_to, enabled=cast_to is not None):
                found: NDArray[np.bool_] = self._peer.run(stack, drawn)
            return found
        if job.cached == "first":
            self._cache = Cache()
        config = Config(
            model=self._plan.weights,
            preset=job.preset,
            memory=job.memory,
            crop="none",
            window="0.5,1",  # the synthetic stack runs from 0 to 1 already
            overlap="apart",
            precision=cast(Any, job.precision),
        )
        result = segment(
            volume,
            prompts,
            config,
            model=self._loaded,
            cache=self._kept(job),
        )
        return Axis.AXIAL.to_stack(result.mask(1))

    def _kept(self, job: Job) -> Cache | None:
        if job.cached == "no":
            return None
        if job.memory is None:
            return self._cache
        # Runs that differ in their memories are timed whole: only encodings are shared.
        return Cache(self._cache.features, PredictionCache(ram_bytes=0), None)


def serve(connection: Any, plan: BenchPlan, first: Job) -> None:
    """Answer ``(job, look)`` with what was measured, until None comes."""
    worker = Worker(plan, first)
    connection.send("ready")
    while (asked := connection.recv()) is not None:
        connection.send(worker.run(*asked))


def gigaflops(precision: str, device: str) -> float:
    """Return what this machine's matrix products reach, in 1e9 operations a second."""
    side = 1024 if device == "cpu" else 8192
    left, right = (
        torch.randn(size, device=device).to(getattr(torch, precision))
        for size in ((4096, side), (side, 4096))
    )
    watch = Stopwatch(synchronizer(device))
    left @ right
    fastest = float("inf")
    for _ in range(5):
        start = watch.now()
        left @ right
        fastest = min(fastest, watch.now() - start)
    return 2 * 4096 * side * 4096 / fastest / 1e9
