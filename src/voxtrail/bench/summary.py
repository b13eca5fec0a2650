"""Medians, ratios and agreements of what was measured so far."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.bench.contender import Measured
from voxtrail.bench.plan import BenchPlan, BenchRun, default_labels


@dataclass(frozen=True, eq=False)
class Rounds:
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
        """The median of the whole runs."""
        return statistics.median(one.seconds for one in self.measured)

    def model_seconds(self, calls: int | None = None) -> float:
        """Return what the model took, in all calls or in the first ones."""
        return statistics.median(one.model_seconds(calls) for one in self.split)

    @property
    def components(self) -> dict[str, float]:
        """Seconds by component, in all calls of the last run."""
        total: dict[str, float] = defaultdict(float)
        for call in self.split[-1].components:
            for name, seconds in call.items():
                total[name] += seconds
        return dict(sorted(total.items()))


def summary(
    rounds: dict[str, Rounds], exact: dict[str, Measured], speed: dict[str, float], plan: BenchPlan
) -> dict[str, Any]:
    """Return rows, ratios and agreements of the runs that were measured, by the run's key.

    Parameters
    ----------
    rounds
        The runs.
    exact
        Those in float32 that masks are compared with.
    speed
        What matrix products reach on this machine, in 1e9 operations a second, by number type.
    plan
        What the bench runs.
    """
    ratios = _ratios({key: one.seconds for key, one in rounds.items()}, rounds, plan)
    return {
        "runs": [_run(one, plan, speed) for one in rounds.values()],
        "ratios": ratios | _default_ratios(rounds, plan),
        "ratios_at_ceiling": _ratios(_at_ceiling(rounds, speed), rounds, plan),
        "agreement_dice": _agreements(rounds, exact),
    }


def _run(rounds: Rounds, plan: BenchPlan, speed: dict[str, float]) -> dict[str, Any]:
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


def _at_ceiling(rounds: dict[str, Rounds], speed: dict[str, float]) -> dict[str, float]:
    """Return the seconds of each run: peers' as measured, ours if all were matrix products."""
    return {
        key: one.flops / speed[one.run.precision] / 1e9 if one.flops else one.seconds
        for key, one in rounds.items()
        if one.flops or one.run.who != "voxtrail"
    }


def _ratios(
    seconds: dict[str, float], rounds: dict[str, Rounds], plan: BenchPlan
) -> dict[str, float]:
    """Return the first peer's time over ours, and what more labels and a later run cost."""
    compared: dict[str, tuple[str, str]] = {
        key: (plan.peers[0], key)
        for key, one in rounds.items()
        if plan.peers and one.run.who == "voxtrail" and one.run.beside_peers
    }
    compared[f"labels-{plan.labels}"] = (f"labels-{plan.labels}", "is+sps")
    compared |= {key: ("first", key) for key, one in rounds.items() if one.run.cached == "again"}
    return {
        key: round(seconds[over] / seconds[under], 2)
        for key, (over, under) in compared.items()
        if over in seconds and under in seconds
    }


def _default_ratios(rounds: dict[str, Rounds], plan: BenchPlan) -> dict[str, float]:
    """Return the model's time for labels together over that for each of them by itself."""
    alone = rounds.get("one-by-one-default")
    together = {n: rounds.get(f"labels-{n}-default") for n in default_labels(plan) if n > 1}
    return {
        f"labels-{n}-default": round(one.model_seconds() / alone.model_seconds(calls=n), 2)
        for n, one in together.items()
        if alone and one
    }


def _agreements(rounds: dict[str, Rounds], exact: dict[str, Measured]) -> dict[str, float]:
    """Compare the runs at full size with voxtrail's in float32 of the same preset."""
    found = {}
    for key, one in rounds.items():
        other = f"{one.run.preset} float32"
        if not one.run.beside_peers or other not in exact:
            continue
        if one.run.resolution == exact[other].run.resolution:
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
