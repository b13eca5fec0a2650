"""voxtrail beside its peers on one NVIDIA GPU, within ten minutes, written as it goes.

    python benchmarks/gpu_peers.py --write docs/gpu-peers.md [--minutes 9]

Meta's predictor plain and as its authors compile it (`vos_optimized=True`, warmed up),
transformers' session, and voxtrail; SAM 2.1 small and large with random weights at 1024 pixels;
33 and 200 slices, one label and eight; bfloat16 and float32; memory; agreement of masks; one
interaction. Each contender has a process of its own. The page is written anew after each run, the
most important ones first, so that a machine that is taken back leaves what it has measured.
`benchmarks/gpu.py` says where the time goes. With `--device cpu --size tiny --resolution 128
--slices 5` it only shows that it works; set TORCHDYNAMO_DISABLE=1 then, or wait for the compiler.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from voxtrail.bench.contender import Failed, Measured
from voxtrail.bench.peers import build_sam2, randomised, state_of, write_random_weights
from voxtrail.bench.plan import BenchPlan, BenchRun
from voxtrail.bench.processes import Processes
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import PointPrompt
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model

#: Sizes, slices and number types, the most important first.
SETTINGS = (
    ("small", 33, "bfloat16"),
    ("small", 33, "float32"),
    ("small", 200, "bfloat16"),
    ("large", 33, "bfloat16"),
)
#: Who, preset and labels, in order; the first one's time is over the others'.
CONTENDERS = (
    ("sam2", "baseline", 1),
    ("voxtrail", "baseline", 1),
    ("voxtrail", "is+sps", 1),
    ("sam2-compiled", "baseline", 1),
    ("voxtrail", "is+sps", 8),
    ("transformers", "baseline", 1),
)
#: The first runs meet all shapes, compile and record; those after them are timed.
WARM_UPS, RUNS = 2, 3
#: Clicks on slices that were not seen before.
CLICKS = 20


class Page:
    """The rows so far, and where they are written."""

    def __init__(self, place: Path | None, how: str, device: str) -> None:
        self._place, self._how = place, how
        name = torch.cuda.get_device_name() if device == "cuda" else "a CPU: no figures"
        self._about = f"{name}, PyTorch {torch.__version__}, {time.strftime('%Y-%m-%d')}"
        self.rows: list[str] = []
        self.notes: list[str] = []

    def write(self) -> None:
        text = "\n".join(
            [
                "# Peers on a GPU",
                "",
                f"Written by `{self._how}`; {self._about}. SAM 2.1, random weights: masks are "
                f"senseless, times are not. Medians of {RUNS} runs after {WARM_UPS}. Research use "
                "only. Not a medical device.",
                "",
                "| model | slices | number type | who | preset | labels | ms a slice | times "
                "`sam2` | peak MiB | Dice with `sam2` |",
                "|---" * 10 + "|",
                *self.rows,
                "",
                *self.notes,
            ]
        )
        if self._place:
            self._place.write_text(text.rstrip() + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--size", help="only this one")
    parser.add_argument("--slices", type=int, help="only so many")
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    how = "python benchmarks/gpu_peers.py"
    page = Page(options.write, how, options.device)
    settings = [
        (options.size or size, options.slices or slices, kind) for size, slices, kind in SETTINGS
    ]
    with tempfile.TemporaryDirectory() as folder:
        for size, slices, kind in dict.fromkeys(settings):
            weights = Path(folder) / f"{size}.pt"
            if not weights.exists():
                write_random_weights(size, weights)
            plan = BenchPlan(
                str(weights), options.resolution, slices, precision=kind, device=options.device
            )
            compare(plan, (size, slices, kind), page, deadline)
            if (size, slices, kind) == settings[0]:
                page.notes += interactions(plan)
                page.write()


def compare(plan: BenchPlan, setting: tuple[str, int, str], page: Page, deadline: float) -> None:
    """Run all contenders of one setting, as far as there is time."""
    first: tuple[float, Measured] | None = None
    for who, preset, labels in CONTENDERS:
        head = f"| {' | '.join(map(str, setting))} | {who} | {preset} | {labels} |"
        left = deadline - time.monotonic()
        if left < 10:
            page.rows.append(f"{head} not run: the time was up | | | |")
            page.write()
            continue
        run = BenchRun(
            f"{who} {preset} {labels}", who, preset, plan.resolution, plan.precision, labels,
            spread=labels > 1, crop="all" if labels > 1 else None,
        )  # fmt: skip
        processes = Processes(replace(plan, labels=max(labels, 2)), patience_s=left)
        timed: list[Measured] = []
        failed = ""
        for number in range(WARM_UPS + RUNS):
            found = processes.measure(run, "seconds")
            if isinstance(found, Failed):
                failed = found.reason.replace("|", "/")
                break
            if number >= WARM_UPS:
                timed.append(found)
            sys.stderr.write(f"{setting} {run.key}: {1e3 * found.seconds / plan.slices:.2f} ms\n")
        processes.end()
        if not timed:
            page.rows.append(f"{head} cannot run: {failed} | | | |")
            page.write()
            continue
        seconds = statistics.median(one.seconds for one in timed)
        if who == "sam2":
            first = seconds, timed[-1]
        over = f"{first[0] / seconds:.2f}" if first and labels == 1 else ""
        alike = f"{dice(timed[-1].masks, first[1].masks):.4f}" if first and labels == 1 else ""
        peak = max(one.peak_mib or 0 for one in timed)
        page.rows.append(
            f"{head} {1e3 * seconds / plan.slices:.2f} | {over} | {peak:.0f} | {alike} |"
        )
        page.write()


def dice(ours: np.ndarray, theirs: np.ndarray) -> float:
    both = float(ours.sum() + theirs.sum())
    return 2.0 * float((ours & theirs).sum()) / both if both else 1.0


def interactions(plan: BenchPlan) -> list[str]:
    """Time a click on a slice that was not seen before: to encode it and to give its mask."""
    shortcuts = Shortcuts(plan.precision)
    model = load_model(
        plan.weights, resolution=plan.resolution, device=plan.device, shortcuts=shortcuts
    ).model
    slices = np.random.default_rng(0).random((CLICKS, 256, 256), dtype=np.float32)
    click = PointPrompt(1, Axis.AXIAL, 0, ((128.0, 100.0),), (True,))

    def ours(index: int) -> None:
        (features,) = model.encode(slices[index : index + 1])
        model.masks([model.prompt(features, [click], (256, 256))], (256, 256))

    size = Path(plan.weights).stem
    predictor = randomised(build_sam2(size, "2.1", plan.resolution, plan.device))
    state = state_of(predictor, slices)

    def theirs(index: int) -> None:
        kind = torch.bfloat16 if plan.precision == "bfloat16" else None
        with torch.inference_mode(), torch.autocast(plan.device, kind, enabled=kind is not None):
            points, labels = np.array([[128.0, 100.0]], np.float32), np.array([1], np.int32)
            _, _, logits = predictor.add_new_points_or_box(state, index, 1, points, labels)
            (logits[0, 0] > 0).cpu()

    return [
        f"One click on a slice that was not seen before (encode it, mask it), {size}, "
        f"{plan.precision}: {milliseconds(ours, plan.device):.1f} ms, `sam2` "
        f"{milliseconds(theirs, plan.device):.1f} ms (medians of {CLICKS - WARM_UPS})."
    ]


def milliseconds(work, device: str) -> float:
    spent = []
    for index in range(CLICKS):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        work(index)
        if device == "cuda":
            torch.cuda.synchronize()
        spent.append(time.perf_counter() - start)
    return 1e3 * statistics.median(spent[WARM_UPS:])


if __name__ == "__main__":
    main()
