"""How far expected Dice and confidence lie from the truth, with the bundled checkpoint.

    python benchmarks/quality.py [--per-type N] [--write PAGE]

On phantoms that chose nothing (`expected_dice` was calibrated on others), and, where VOXTRAIL_CT
names a folder with totalseg_mini, on a real CT. Skulls are left out: they take longer than all the
rest together.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from voxtrail.core.axis import Axis
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom import write_dataset
from voxtrail.datasets.sample import sample
from voxtrail.datasets.totalsegmentator import measure, read_ct, read_mask, structures
from voxtrail.evaluate import simulate
from voxtrail.metrics.overlap import dice
from voxtrail.model.base import LoadedModel
from voxtrail.session import Config, segment
from voxtrail.session.loading import load_unseen
from voxtrail.study.machine import machine

#: Of the phantoms: expected Dice was calibrated on seed 41.
SEED, SUBJECTS = 42, 4
CASE, FEWEST_SLICES = "s0000", 9
BUDGETS = {3: "first-middle-last", 5: "uniform:5", 9: "uniform:9"}


@dataclass(frozen=True)
class Measured:
    """One structure with one number of outlines: by the label, and by the slice."""

    outlines: int
    expected: float
    spread: float
    true: float
    slices: list[tuple[float, float]]
    share_s: float


def cases(per_type: int) -> Iterator[tuple[str, Volume, LabelMap]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for _ in write_dataset(root, SUBJECTS, SEED):
            pass
        for item in sample(root, per_type, 0, allow_short=True).structures:
            if item.bone_type != "skull" and item.axial_slices >= FEWEST_SLICES:
                mask = read_mask(root, item.case, item.structure)
                yield "phantoms", read_ct(root, item.case), mask
    root = Path(os.environ.get("VOXTRAIL_CT", "none")) / "totalseg_mini"
    if root.is_dir():
        scan = read_ct(root, CASE)
        for name in structures(root, CASE):
            if measure(root, CASE, name).axial_slices >= FEWEST_SLICES:
                yield f"CT {CASE}", scan, read_mask(root, CASE, name)


def measured(scan: Volume, truth: LabelMap, outlines: int, model: LoadedModel) -> Measured | None:
    prompts = simulate(truth, BUDGETS[outlines])
    drawn = [prompt.slice_index for prompt in prompts.prompts]
    started, tested = time.perf_counter(), [0.0]

    def progress(done: int, total: int, what: str) -> None:
        if what == "leaving outlines out":
            tested[0] = tested[0] or time.perf_counter()

    config = Config(model="micro", device="cpu")
    result = segment(scan, prompts, config, model=model, progress=progress)
    ended = time.perf_counter()
    (label,) = result.record.labels
    between = [index for index in range(drawn[0], drawn[-1]) if index not in drawn]
    if label.expected_dice is None or not between:
        return None
    found, true = (Axis.AXIAL.to_stack(mask) for mask in (result.mask(1), truth.voxels > 0))
    sure = result.quality[1].confidence[Axis.AXIAL]
    return Measured(
        outlines,
        label.expected_dice.dice,
        label.expected_dice.spread,
        dice(found[between], true[between]),
        [(sure[index], dice(found[index], true[index])) for index in between],
        (ended - tested[0]) / (tested[0] - started),
    )


def rows(where: str, found: list[Measured]) -> Iterator[str]:
    for outlines in BUDGETS:
        some = [one for one in found if one.outlines == outlines]
        if len(some) < 3:
            continue
        expected, true, spread = (
            np.array([getattr(one, name) for one in some])
            for name in ("expected", "true", "spread")
        )
        away = np.abs(expected - true)
        slices = np.array([pair for one in some for pair in one.slices])
        yield (
            f"| {where} | {outlines} | {len(some)} | {true.mean():.3f} | {expected.mean():.3f} | "
            f"{away.mean():.3f} | {spearmanr(expected, true)[0]:.2f} | "
            f"{(away <= spread).mean():.0%} | {np.abs(slices[:, 0] - slices[:, 1]).mean():.3f} | "
            f"{spearmanr(*slices.T)[0]:.2f} | {np.median([one.share_s for one in some]):.0%} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-type", type=int, default=1)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    model = load_unseen(Config(model="micro", device="cpu"))
    found: dict[str, list[Measured]] = {}
    for where, scan, truth in cases(options.per_type):
        for outlines in BUDGETS:
            one = measured(scan, truth, outlines, model)
            if one:
                found.setdefault(where, []).append(one)
                said = f"{one.outlines}: expected {one.expected}, true {one.true:.3f}"
                sys.stderr.write(f"{where} {truth.name(1)} {said}\n")
    on = machine()
    lines = [
        "# What a case says of itself, and what is so",
        "",
        f"Written by `python benchmarks/quality.py --per-type {options.per_type} --write "
        f"{options.write}`, {time.strftime('%Y-%m-%d')}, on {on['processor']}, {on['threads']} "
        "thread: the bundled checkpoint (micro, not SAM 2), default options, evenly spaced "
        f"outlines. Phantoms of seed {SEED} ({SUBJECTS} subjects, at most {options.per_type} "
        "structure of a bone type each, no skulls) and TotalSegmentator's s0000 (labels CC BY "
        "4.0); the constants of `voxtrail.session.expected_dice` were chosen on phantoms of seed "
        "41. Research use only. Not a medical device.",
        "",
        "True Dice is that of the slices between the outlines; *off* the mean absolute difference, "
        "*rank* Spearman's correlation over structures (over slices, for the confidence), *within* "
        "the share of structures within the spread, and *cost* the time that leaving outlines out "
        "takes, as a share of the run before it (median).",
        "",
        "| | outlines | structures | true Dice | expected | off | rank | within | confidence of a "
        "slice: off | rank | cost |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(row for where, some in found.items() for row in rows(where, some)),
    ]
    text = "\n".join(lines) + "\n"
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
