"""Runs the rounds, and tells after each run what has been measured up to then."""

from __future__ import annotations

import os
import platform
import time
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from voxtrail.bench.contender import Failed, Look, Measured, gigaflops
from voxtrail.bench.plan import BenchPlan, BenchRun, exact_runs, memory_runs, one_round
from voxtrail.bench.processes import Processes
from voxtrail.bench.summary import Rounds, summary


def run_bench(
    plan: BenchPlan,
    progress: Callable[[str], None] | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Run a bench and return what ``voxtrail bench --json`` prints.

    A run that cannot be done, or whose process ends, is a row that says why.

    Parameters
    ----------
    plan
        What to run.
    progress
        Called with a line about each run.
    keep
        Called after each run with what would be returned then, so that nothing is lost.
    """
    bench = _Bench(plan, progress or (lambda _: None), keep or (lambda _: None))
    try:
        bench.run()
    finally:
        bench.processes.end()
    return bench.result()


class _Bench:
    """What was measured so far."""

    def __init__(
        self,
        plan: BenchPlan,
        say: Callable[[str], None],
        keep: Callable[[dict[str, Any]], None],
    ) -> None:
        self.plan = plan
        self.processes = Processes(plan)
        self._say = say
        self._keep = keep
        self._measured: dict[str, list[Measured]] = defaultdict(list)
        self._splits: dict[str, list[Measured]] = defaultdict(list)
        self._flops: dict[str, int | None] = {}
        self._exact: dict[str, Measured] = {}
        self._sizes: dict[str, Measured] = {}
        self._failed: dict[str, str] = {}
        self._machine = _machine(plan)
        kinds: set[str] = {"float32", plan.precision}
        self._speed = {kind: gigaflops(kind, plan.device) for kind in sorted(kinds, reverse=True)}

    def run(self) -> None:
        """Measure everything."""
        plan, runs = self.plan, one_round(self.plan)
        for run in exact_runs(plan):
            if found := self._one(run):
                self._exact[run.key] = found
        self.processes.end(exact_runs(plan)[0])
        for run in runs:
            if _warms_up(run):  # and is counted where PyTorch sees each operation
                counted = run.variant in (None, "coarse")
                if found := self._one(run, "flops" if counted else "seconds"):
                    self._flops[run.key] = found.flops
        for _ in range(plan.repeats):
            for run in runs:
                if found := self._one(run):
                    self._measured[run.key].append(found)
                    self._keep(self.result())
        for run in runs if plan.device != "cpu" else ():
            if found := self._one(run, "components"):
                self._splits[run.key].append(found)
        for run in memory_runs(plan):
            if found := self._one(run, "components"):
                self._sizes[run.key] = found
                self._keep(self.result())

    def _one(self, run: BenchRun, look: Look = "seconds") -> Measured | None:
        if run.key in self._failed:
            return None
        found = self.processes.measure(run, look)
        if isinstance(found, Failed):
            self._failed[run.key] = found.reason
            self._say(f"{run.key}: cannot run: {found.reason}")
            self._keep(self.result())
            return None
        self._say(f"{run.key}: {found.seconds / self.plan.slices:.3g} s a slice")
        return found

    def result(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        plan, runs = self.plan, one_round(self.plan)
        rounds = {
            # The CPU is done when a call returns: there, components are those of the runs.
            run.key: Rounds(
                run,
                self._measured[run.key],
                self._splits[run.key] or self._measured[run.key],
                self._flops.get(run.key),
            )
            for run in runs
            if self._measured[run.key]
        }
        return {
            "machine": {
                **self._machine,
                "gigaflops": {kind: round(speed) for kind, speed in self._speed.items()},
            },
            **summary(rounds, self._exact, self._speed, plan),
            "memory_size_s": {
                key: round(one.components[0].get("memory attention", 0.0) / (plan.slices - 3), 5)
                for key, one in self._sizes.items()
            },
            "failed": dict(self._failed),
            "missing": [run.key for run in (*runs, *memory_runs(plan)) if not self._done(run)],
        }

    def _done(self, run: BenchRun) -> bool:
        """Tell whether nothing more is to come of a run."""
        if run.key in self._failed or run.key in self._sizes:
            return True
        return len(self._measured[run.key]) == self.plan.repeats


def _warms_up(run: BenchRun) -> bool:
    """Tell whether a run is done once before the rounds.

    Peers are warm; what has to be done for several labels with crops of their own takes longest
    and is the same again.
    """
    return run.who == "voxtrail" and not (run.spread and run.cached == "no" and run.crop is None)


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
