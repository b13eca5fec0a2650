"""One contender in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from voxtrail.bench.plan import EXPORTED, BenchPlan, Job, scene
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.model.base import LoadedModel
from voxtrail.model.loading import Runtime
from voxtrail.model.shortcuts import Precision, Shortcuts
from voxtrail.pipeline import Config, segment
from voxtrail.propagate.feature_cache import FeatureCache
from voxtrail.propagate.step_cache import StepCache

KIB_PER_MIB = 1024
WARM_UP_SLICES = 5


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
        Greatest resident memory while it ran, or None where the system does not tell.
    components
        Seconds by component.
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
        self._cache, self._steps = FeatureCache(), StepCache()
        self._peer: Any = None
        self._loaded: LoadedModel | None = None
        if job.who == "voxtrail":
            from voxtrail.model.loading import load

            exported = job.variant in EXPORTED
            self._loaded = load(
                cast(str, plan.exported) if exported else plan.weights,
                resolution=job.resolution,
                device="cpu",
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
            self._peer = peers[job.who](plan.weights, job.resolution)
            # Warmed up on a few slices; voxtrail warms up while its operations are counted.
            self._masks(job, *scene(replace(plan, slices=WARM_UP_SLICES), 1))

    def run(self, job: Job, *, count_flops: bool = False) -> Measured:
        """Run one job; counting operations makes it slower."""
        corrected = job.cached == "again" and job.memory is None
        volume, prompts = scene(self._plan, job.labels, corrected=corrected)
        stopwatch = (self._peer or cast(LoadedModel, self._loaded).model).stopwatch
        before = dict(stopwatch.seconds)
        _reset_peak()
        counter = None
        start = time.perf_counter()
        if count_flops:
            from torch.utils.flop_counter import FlopCounterMode

            with FlopCounterMode(display=False) as counter:
                masks = self._masks(job, volume, prompts)
        else:
            masks = self._masks(job, volume, prompts)
        seconds = time.perf_counter() - start
        return Measured(
            job,
            seconds,
            _peak_mib(),
            {name: spent - before.get(name, 0.0) for name, spent in stopwatch.seconds.items()},
            counter.get_total_flops() if counter else None,
            masks,
        )

    def _masks(self, job: Job, volume: Any, prompts: Any) -> NDArray[np.bool_]:
        if self._peer is not None:
            stack = np.ascontiguousarray(Axis.AXIAL.to_stack(volume.voxels), dtype=np.float32)
            drawn = [one for one in prompts.prompts if isinstance(one, MaskPrompt)]
            found: NDArray[np.bool_] = self._peer.run(stack, drawn)
            return found
        if job.cached == "first":
            self._cache, self._steps = FeatureCache(), StepCache()
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
            cache=self._cache if job.cached != "no" else None,
            # Runs that differ in their memories are timed whole.
            steps=self._steps if job.cached != "no" and job.memory is None else None,
        )
        return Axis.AXIAL.to_stack(result.mask(1))


def serve(connection: Any, plan: BenchPlan, first: Job) -> None:
    """Answer ``(job, count_flops)`` with what was measured, until None comes."""
    worker = Worker(plan, first)
    connection.send("ready")
    while (asked := connection.recv()) is not None:
        job, count_flops = asked
        connection.send(worker.run(job, count_flops=count_flops))


def gigaflops(precision: str) -> float:
    """Return what this machine's matrix products reach, in 1e9 operations a second."""
    left, right = (
        torch.randn(size).to(getattr(torch, precision)) for size in ((4096, 1024), (1024, 4096))
    )
    left @ right
    fastest = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        left @ right
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * 4096 * 1024 * 4096 / fastest / 1e9


def _reset_peak() -> None:
    place = Path("/proc/self/clear_refs")
    if place.exists():
        place.write_text("5")


def _peak_mib() -> float | None:
    place = Path("/proc/self/status")
    if not place.exists():
        return None
    for line in place.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / KIB_PER_MIB
    return None
