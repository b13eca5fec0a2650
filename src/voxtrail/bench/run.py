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

from voxtrail.bench.contender import Look, Measured, gigaflops, serve
from voxtrail.bench.plan import (
    BenchPlan,
    BenchRun,
    default_labels,
    exact_runs,
    memory_runs,
    one_round,
)
from voxtrail.errors import WorkError
from voxtrail.model import LARGE_PAGES


class _Processes:
    """A process for every contender, started when it is first needed."""

    def __init__(self, plan: BenchPlan) -> None:
        self._plan = plan
        self._context = multiprocessing.get_context("spawn")
        self._held: dict[tuple[str, int, str, str | None], tuple[Any, Any]] = {}

    def measure(self, run: BenchRun, look: Look) -> Measured:
        if run.process not in self._held:
            ours, theirs = self._context.Pipe()
            # Peers as their own packages leave PyTorch.
            os.environ[LARGE_PAGES] = "1" if run.who == "voxtrail" else "0"
            process = self._context.Process(
                target=serve, args=(theirs, self._plan, run), daemon=True
            )
            process.start()
            theirs.close()
            self._held[run.process] = process, ours
            _receive(ours, run)
        connection = self._held[run.process][1]
        connection.send((run, look))
        measured = _receive(connection, run)
        assert isinstance(measured, Measured)
        return measured

    def end(self, run: BenchRun | None = None) -> None:
        """End a run's process, or all."""
        for key in [run.process] if run else list(self._held):
            process, connection = self._held.pop(key)
            if process.is_alive():
                connection.send(None)
            process.join()


def _receive(connection: Any, run: BenchRun) -> Any:
    try:
        return connection.recv()
    except EOFError as error:
        raise WorkError(f"{run.who} ended before it answered ({run.key})") from error


@dataclass(frozen=True, eq=False)
class _Rounds:
    """One run in all rounds.

    Parameters
    ----------
    run
        What ran.
    measured
        Each time.
    split
        Those whose components were looked at.
    flops
        Floating-point operations, where they were counted.
    """

    run: BenchRun
    measured: list[Measured]
    split: list[Measured]
    flops: int | None

    @property
    def seconds(self) -> float:
        return statistics.median(one.seconds for one in self.measured)

    def model_seconds(self, calls: int | None = None) -> float:
        """Return what the model took, in all calls or in the first ones."""
        return statistics.median(one.model_seconds(calls) for one in self.split)

    @property
    def components(self) -> dict[str, float]:
        total: dict[str, float] = defaultdict(float)
        for call in self.split[-1].components:
            for name, seconds in call.items():
                total[name] += seconds
        return dict(sorted(total.items()))


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
    measured: dict[str, list[Measured]] = defaultdict(list)
    flops: dict[str, int | None] = {}
    runs = one_round(plan)

    def one(run: BenchRun, look: Look = "seconds") -> Measured:
        found = processes.measure(run, look)
        say(f"{run.key}: {found.seconds / plan.slices:.3g} s a slice")
        return found

    try:
        exact = {run.key: one(run) for run in exact_runs(plan)}
        processes.end(exact_runs(plan)[0])
        for run in runs:
            if _warms_up(run):  # and is counted where PyTorch sees each operation
                counted = run.variant in (None, "coarse")
                flops[run.key] = one(run, "flops" if counted else "seconds").flops
        for _ in range(plan.repeats):
            for run in runs:
                measured[run.key].append(one(run))
        # The CPU is done when a call returns: there, components are those of the runs themselves.
        splits = {
            run.key: measured[run.key] if plan.device == "cpu" else [one(run, "components")]
            for run in runs
        }
        sizes = {run.key: one(run, "components") for run in memory_runs(plan)}
    finally:
        processes.end()
    rounds = {
        run.key: _Rounds(run, measured[run.key], splits[run.key], flops.get(run.key))
        for run in runs
    }
    kinds: set[str] = {"float32", plan.precision}
    speed = {kind: gigaflops(kind, plan.device) for kind in sorted(kinds, reverse=True)}
    ratios = _ratios({key: one.seconds for key, one in rounds.items()}, rounds, plan)
    return {
        "machine": {**_machine(plan), "gigaflops": {k: round(v) for k, v in speed.items()}},
        "runs": [_run(one, plan, speed) for one in rounds.values()],
        "ratios": ratios | _default_ratios(rounds, plan),
        "ratios_at_ceiling": _ratios(_at_ceiling(rounds, speed), rounds, plan),
        "agreement_dice": _agreements(rounds, exact),
        "memory_size_s": {
            key: round(run.components[0].get("memory attention", 0.0) / (plan.slices - 3), 5)
            for key, run in sizes.items()
        },
    }


def _warms_up(run: BenchRun) -> bool:
    """Tell whether a run is done once before the rounds.

    Peers are warm; what has to be done for several labels with crops of their own takes longest
    and is the same again.
    """
    return run.who == "voxtrail" and not (run.spread and run.cached == "no" and run.crop is None)


def _run(rounds: _Rounds, plan: BenchPlan, speed: dict[str, float]) -> dict[str, Any]:
    run, measured = rounds.run, rounds.measured
    peaks = [one.peak_mib for one in measured if one.peak_mib is not None]
    ceiling = rounds.flops / speed[run.precision] / 1e9 / plan.slices if rounds.flops else None
    return {
        "key": run.key,
        "who": run.who,
        "preset": run.preset,
        "resolution": run.resolution,
        "runtime": run.runtime,
        "labels": run.labels,
        "cached": run.cached != "no",
        "encoded": measured[-1].encoded,
        "tracked": measured[-1].tracked,
        "seconds_per_slice": round(rounds.seconds / plan.slices, 5),
        "seconds_per_slice_of_each_run": [round(one.seconds / plan.slices, 5) for one in measured],
        "ceiling_seconds_per_slice": round(ceiling, 5) if ceiling else None,
        "peak_mib": round(max(peaks)) if peaks else None,
        "components_s": {
            name: round(seconds / plan.slices, 5) for name, seconds in rounds.components.items()
        },
    }


def _at_ceiling(rounds: dict[str, _Rounds], speed: dict[str, float]) -> dict[str, float]:
    """Return the seconds of each run: peers' as measured, ours if all were matrix products."""
    return {
        key: one.flops / speed[one.run.precision] / 1e9 if one.flops else one.seconds
        for key, one in rounds.items()
        if one.flops or one.run.who != "voxtrail"
    }


def _ratios(
    seconds: dict[str, float], rounds: dict[str, _Rounds], plan: BenchPlan
) -> dict[str, float]:
    """Return the first peer's time over ours, and what more labels and a later run cost."""
    ratios = {}
    if plan.peers:
        for key, one in rounds.items():
            if one.run.who == "voxtrail" and one.run.beside_peers and key in seconds:
                ratios[key] = seconds[plan.peers[0]] / seconds[key]
    several = f"labels-{plan.labels}"
    ratios[several] = seconds[several] / seconds["is+sps"]
    for key, one in rounds.items():
        if one.run.cached == "again":
            ratios[key] = seconds["first"] / seconds[key]
    return {key: round(value, 2) for key, value in ratios.items()}


def _default_ratios(rounds: dict[str, _Rounds], plan: BenchPlan) -> dict[str, float]:
    """Return the model's time for labels together over that for each of them by itself."""
    alone = rounds["one-by-one-default"]
    return {
        f"labels-{n}-default": round(
            rounds[f"labels-{n}-default"].model_seconds() / alone.model_seconds(calls=n), 2
        )
        for n in default_labels(plan)
        if n > 1
    }


def _agreements(rounds: dict[str, _Rounds], exact: dict[str, Measured]) -> dict[str, float]:
    """Compare the runs at full size with voxtrail's in float32 of the same preset."""
    found = {}
    for key, one in rounds.items():
        other = f"{one.run.preset} float32"
        if one.run.beside_peers and one.run.resolution == exact[other].run.resolution:
            agreement = _dice(one.measured[-1].masks, exact[other].masks)
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
