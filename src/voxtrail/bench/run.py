"""Runs the rounds and draws medians, ratios and agreements from them."""

from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.bench.plan import BenchPlan, Job, exact_jobs, jobs, memory_jobs
from voxtrail.bench.worker import Look, Measured, gigaflops, serve
from voxtrail.errors import WorkError
from voxtrail.model import LARGE_PAGES


class _Processes:
    """A process for every worker, started when it is first needed."""

    def __init__(self, plan: BenchPlan) -> None:
        self._plan = plan
        self._context = multiprocessing.get_context("spawn")
        self._held: dict[tuple[str, int, str, str | None], tuple[Any, Any]] = {}

    def run(self, job: Job, look: Look) -> Measured:
        if job.worker not in self._held:
            ours, theirs = self._context.Pipe()
            # Peers as their own packages leave PyTorch.
            os.environ[LARGE_PAGES] = "1" if job.who == "voxtrail" else "0"
            process = self._context.Process(
                target=serve, args=(theirs, self._plan, job), daemon=True
            )
            process.start()
            theirs.close()
            self._held[job.worker] = process, ours
            _receive(ours, job)
        connection = self._held[job.worker][1]
        connection.send((job, look))
        measured = _receive(connection, job)
        assert isinstance(measured, Measured)
        return measured

    def end(self, job: Job | None = None) -> None:
        """End a job's worker, or all."""
        for key in [job.worker] if job else list(self._held):
            process, connection = self._held.pop(key)
            if process.is_alive():
                connection.send(None)
            process.join()


def _receive(connection: Any, job: Job) -> Any:
    try:
        return connection.recv()
    except EOFError as error:
        raise WorkError(f"{job.who} ended before it answered ({job.key})") from error


@dataclass(frozen=True, eq=False)
class _Rounds:
    """All runs of a job, and the one whose components were looked at."""

    job: Job
    runs: list[Measured]
    split: Measured
    flops: int | None

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)


def run_bench(plan: BenchPlan, progress: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Run a bench and return what ``voxtrail bench --json`` prints.

    Parameters
    ----------
    plan
        What to run.
    progress
        Called with a line about each run.

    Raises
    ------
    OptionError, WeightsError
        If a contender cannot run these weights.
    WorkError
        If a process ended.
    """
    say = progress or (lambda _: None)
    processes = _Processes(plan)
    found: dict[str, list[Measured]] = defaultdict(list)
    flops: dict[str, int | None] = {}

    def one(job: Job, look: Look = "seconds") -> Measured:
        measured = processes.run(job, look)
        say(f"{job.key}: {measured.seconds / plan.slices:.3g} s a slice")
        return measured

    try:
        exact = {job.key: one(job) for job in exact_jobs(plan)}
        processes.end(exact_jobs(plan)[0])
        for job in jobs(plan):
            if job.who == "voxtrail":  # warms up, and counts where PyTorch sees each operation
                counted = job.variant in (None, "coarse")
                flops[job.key] = one(job, "flops" if counted else "seconds").flops
        for _ in range(plan.repeats):
            for job in jobs(plan):
                found[job.key].append(one(job))
        # The CPU is done when a call returns: there, components are those of the runs themselves.
        splits = {
            job.key: found[job.key][-1] if plan.device == "cpu" else one(job, "components")
            for job in jobs(plan)
        }
        sizes = {job.key: one(job, "components") for job in memory_jobs(plan)}
    finally:
        processes.end()
    rounds = {
        job.key: _Rounds(job, found[job.key], splits[job.key], flops.get(job.key))
        for job in jobs(plan)
    }
    kinds: set[str] = {"float32", plan.precision}
    speed = {kind: gigaflops(kind, plan.device) for kind in sorted(kinds, reverse=True)}
    return {
        "machine": {**_machine(plan), "gigaflops": {k: round(v) for k, v in speed.items()}},
        "runs": [_run(one, plan, speed) for one in rounds.values()],
        "ratios": _ratios({key: one.seconds for key, one in rounds.items()}, rounds, plan),
        "ratios_at_ceiling": _ratios(_at_ceiling(rounds, speed), rounds, plan),
        "agreement_dice": _agreements(rounds, exact),
        "memory_size_s": {
            key: round(run.components.get("memory attention", 0.0) / (plan.slices - 3), 5)
            for key, run in sizes.items()
        },
    }


def _run(rounds: _Rounds, plan: BenchPlan, speed: dict[str, float]) -> dict[str, Any]:
    job, runs = rounds.job, rounds.runs
    peaks = [run.peak_mib for run in runs if run.peak_mib is not None]
    ceiling = rounds.flops / speed[job.precision] / 1e9 / plan.slices if rounds.flops else None
    return {
        "key": job.key,
        "who": job.who,
        "preset": job.preset,
        "resolution": job.resolution,
        "runtime": job.runtime,
        "labels": job.labels,
        "cached": job.cached != "no",
        "seconds_per_slice": round(rounds.seconds / plan.slices, 5),
        "seconds_per_slice_of_each_run": [round(run.seconds / plan.slices, 5) for run in runs],
        "ceiling_seconds_per_slice": round(ceiling, 5) if ceiling else None,
        "peak_mib": round(max(peaks)) if peaks else None,
        "components_s": {
            name: round(seconds / plan.slices, 5)
            for name, seconds in sorted(rounds.split.components.items())
        },
    }


def _at_ceiling(rounds: dict[str, _Rounds], speed: dict[str, float]) -> dict[str, float]:
    """Return the seconds of each run: peers' as measured, ours if all were matrix products."""
    return {
        key: one.flops / speed[one.job.precision] / 1e9 if one.flops else one.seconds
        for key, one in rounds.items()
        if one.flops or one.job.who != "voxtrail"
    }


def _ratios(
    seconds: dict[str, float], rounds: dict[str, _Rounds], plan: BenchPlan
) -> dict[str, float]:
    """Return the first peer's time over ours, and what more labels and a second run cost."""
    ratios = {}
    if plan.peers:
        for key, one in rounds.items():
            alone = one.job.labels == 1 and one.job.cached == "no"
            if one.job.who == "voxtrail" and alone and key in seconds:
                ratios[key] = seconds[plan.peers[0]] / seconds[key]
    several = f"labels-{plan.labels}"
    ratios[several] = seconds[several] / seconds["is+sps"]
    ratios["rerun"] = seconds["first"] / seconds["rerun"]
    return {key: round(value, 2) for key, value in ratios.items()}


def _agreements(rounds: dict[str, _Rounds], exact: dict[str, Measured]) -> dict[str, float]:
    """Compare the runs at full size with voxtrail's in float32 of the same preset."""
    found = {}
    for key, one in rounds.items():
        other = f"{one.job.preset} float32"
        whole = one.job.resolution == exact[other].job.resolution
        if whole and one.job.labels == 1 and one.job.cached == "no":
            agreement = _dice(one.runs[-1].masks, exact[other].masks)
            found[f"{key} and {other}"] = round(agreement, 5)
    return found


def _dice(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    """Return the Dice over un-prompted slices."""
    middle = (len(ours) - 1) // 2
    open_slices = [i for i in range(len(ours)) if i not in (0, middle, len(ours) - 1)]
    a, b = ours[open_slices], theirs[open_slices]
    both = float(a.sum() + b.sum())
    return 2.0 * float((a & b).sum()) / both if both else 1.0


def _machine(plan: BenchPlan) -> dict[str, Any]:
    import torch

    name = platform.processor() or platform.machine()
    place = Path("/proc/cpuinfo")
    flags = ""
    if place.exists():
        lines = [line.partition(":") for line in place.read_text().splitlines()]
        said = {key.strip(): value.strip() for key, _, value in lines}
        name, flags = said.get("model name", name), said.get("flags", "")
    packages = {}
    for package in ("torch", "transformers", "sam2"):
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "not installed"
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bfloat16": [flag for flag in ("avx512_bf16", "amx_bf16") if flag in flags.split()],
        "device": "cpu" if plan.device == "cpu" else torch.cuda.get_device_name(),
        "date": time.strftime("%Y-%m-%d"),
        "weights": Path(plan.weights).name,
        "slices": plan.slices,
        "repeats": plan.repeats,
        "packages": packages,
    }
