"""What a slice costs, by the processor's time: voxtrail's models beside PyPI's ``sam2``.

    python benchmarks/slice_cost.py [--ways float32,int8,...] [--write docs/benchmarks.md]

Random weights of the published sizes, one label, one slice of a long pass at 1024 pixels. With the
baseline's memory it attends to seven slices, with IS + SPS to four at most (two outlined, two
recent). The ways take turns, step by step, and what is counted is the processor's time, all cores
together, which other work on the machine stretches less than the clock's. The reference
predictor, with the weights of small, carries an outline through a stack; counted are the slices
that attend to seven memories.

What a processor without AVX-512 would do, where the libraries can be told: PyTorch's and oneDNN's
kernels, and oneMKL's products, by

    ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_CBWR=AVX2

``--operators bfloat16`` prints instead where small's time goes in that precision: operations, this
machine's rate of products, and the shares of PyTorch's operators.

With --write a section of the page is written anew, or added; ``voxtrail bench --write`` writes all
of the page, so this comes after it.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from voxtrail.bench import peers
from voxtrail.bench.contender import gigaflops
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.export import export
from voxtrail.model.base import SliceModel, Tracking
from voxtrail.model.loading import load
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.torch_model import TorchSliceModel

SIZE = 1024
POINTERS = 16
#: Memories attended to: outlined slices and recent ones.
POLICIES = {"baseline": (1, 6), "is+sps": (2, 2)}
STEPS = (
    "image encoder",
    *(f"attention and decoder, {name}" for name in POLICIES),
    "memory encoder",
)
#: Model and way of each row, by the name of the way on the command line.
WAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "float32": (("small", "float32"), ("tiny", "float32"), ("edgetam", "float32")),
    "bfloat16": (("small", "bfloat16"), ("tiny", "bfloat16"), ("edgetam", "bfloat16")),
    "int8": (("small", "int8"),),
    "openvino": (("small", "openvino float32"),),
    "onnx": (("small", "onnx float32"),),
}
#: Slices of the reference's pass; it remembers the outlined one and the last six.
REFERENCE_SLICES = 11
GREATEST_OPERATORS = 8
#: What tells libraries to do without newer instructions.
LIMITS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR")


def build(name: str, way: str, folder: Path) -> SliceModel:
    """Build a model of random weights at its published size."""
    if name == "edgetam":
        return _edgetam(Shortcuts(way))
    weights = _weights(name, folder)
    if not way.endswith(" float32"):
        return load(str(weights), resolution=SIZE, device="cpu", shortcuts=Shortcuts(way)).model
    graphs = folder / f"{name}-exported"
    if not graphs.exists():
        export(load(str(weights), resolution=SIZE, device="cpu"), graphs)
    return load(str(graphs), runtime=way.split()[0]).model


def _weights(name: str, folder: Path) -> Path:
    path = folder / f"{name}.pt"
    if not path.exists():
        peers.write_random_weights(name, path)
    return path


def _edgetam(shortcuts: Shortcuts) -> TorchSliceModel:
    from transformers import EdgeTamVideoConfig, EdgeTamVideoModel

    from voxtrail.model import repvit
    from voxtrail.model.families import edgetam

    repvit.register()
    torch.manual_seed(0)
    network = EdgeTamVideoModel(EdgeTamVideoConfig.from_dict(edgetam.without_timm({})))
    network = network.eval().requires_grad_(False)
    spec = edgetam.EdgeTamFamily().spec
    return edgetam.edgetam_model(network, spec, shortcuts=shortcuts)


def slice_of_a_pass(model: SliceModel, grey: np.ndarray) -> list[Callable[[], object]]:
    """Return the steps of one slice, to be called in the order of `STEPS`."""
    (features,) = model.encode(grey)
    drawn = model.prompt(features, [MaskPrompt(1, Axis.AXIAL, 0, grey[0] > 0.5)], grey.shape[1:])
    (memory,) = model.memorise([features], [drawn])
    pointers = tuple((drawn.pointer, step / POINTERS) for step in range(POINTERS))

    def track(outlined: int, recent: int) -> Callable[[], object]:
        embeddings = (*(model.memory_spec.prompt_embedding,) * outlined, *range(recent))
        tracking = Tracking(features, tuple((memory, one) for one in embeddings), pointers)
        return lambda: model.track([tracking])

    return [
        lambda: model.encode(grey),
        *(track(*counts) for counts in POLICIES.values()),
        lambda: model.memorise([features], [drawn]),
    ]


def measure(rows: list[tuple[str, str]], rounds: int, folder: Path) -> list[list[float]]:
    """Return the processor's seconds of each row's steps: medians of interleaved rounds."""
    grey = np.random.default_rng(0).random((1, 128, 128), dtype=np.float32)
    steps = [slice_of_a_pass(build(*row, folder), grey) for row in rows]
    spent: dict[tuple[int, int], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for number in range(len(STEPS)):
            for row, of_row in enumerate(steps):
                start = time.process_time()
                of_row[number]()
                spent[row, number].append(time.process_time() - start)
    return [
        [statistics.median(spent[row, number]) for number in range(len(STEPS))]
        for row in range(len(rows))
    ]


def of_reference(folder: Path) -> float:
    """Return the processor's seconds of a slice of PyPI's ``sam2``: the median of a pass."""
    predictor = peers.build_sam2("small", "2.1", SIZE)
    predictor.load_state_dict(torch.load(_weights("small", folder), weights_only=True)["model"])
    stack = np.random.default_rng(0).random((REFERENCE_SLICES, 128, 128), dtype=np.float32)
    spent = []
    with torch.inference_mode():
        state = peers.state_of(predictor, stack)
        predictor.add_new_mask(state, 0, 1, stack[0] > 0.5)
        start = time.process_time()
        for _ in predictor.propagate_in_video(state):
            spent.append(time.process_time() - start)
            start = time.process_time()
    return statistics.median(spent[sum(POLICIES["baseline"]) :])


def section(
    title: str, rows: list[tuple[str, str]], found: list[list[float]], reference: float, rounds: int
) -> str:
    """Return the page's section."""
    names = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    processor = dict((key.strip(), value.strip()) for key, _, value in names)["model name"]
    limits = " ".join(f"{name}={os.environ[name]}" for name in LIMITS if name in os.environ)
    lines = [
        title,
        "",
        f"Written by `{limits + ' ' if limits else ''}python benchmarks/slice_cost.py "
        f"{' '.join(_quoted(one) for one in sys.argv[1:])}`: {processor}, {os.cpu_count()} cores, "
        f"threads: {torch.get_num_threads()}, load {os.getloadavg()[1]:.1f}, "
        f"{datetime.date.today()}; torch {torch.__version__}. Random weights of the published "
        f"sizes, one label, one slice at {SIZE} pixels and {POINTERS} pointers; the baseline "
        f"attends to {sum(POLICIES['baseline'])} memories, IS + SPS to "
        f"{sum(POLICIES['is+sps'])} at most. Seconds of the processor's time, all cores together, "
        "which other work on the machine stretches less than the clock's; medians of "
        f"{rounds} interleaved rounds. `sam2`: PyPI's predictor, the slices of a pass that attend "
        "to as many memories as the baseline.",
        "",
        "| model | way | "
        + " | ".join(STEPS)
        + " | baseline | is+sps | `sam2` / baseline | `sam2` / is+sps |",
        "|---|---|" + "---|" * (len(STEPS) + 4),
        f"| `sam2` small | float32 |{' |' * len(STEPS)} {reference:.2f} | | 1 | |",
    ]
    for (name, way), (encoder, baseline, policy, memory) in zip(rows, found, strict=True):
        wholes = [encoder + one + memory for one in (baseline, policy)]
        parts = " | ".join(f"{one:.2f}" for one in (encoder, baseline, policy, memory, *wholes))
        ratios = " | ".join(f"{reference / one:.1f}" for one in wholes)
        lines.append(f"| {name} | {way} | {parts} | {ratios} |")
    return "\n".join([*lines, ""])


def operators(way: str, folder: Path) -> str:
    """Return by step of small: 1e9 operations, the floor in seconds, and operators' shares."""
    grey = np.random.default_rng(0).random((1, 128, 128), dtype=np.float32)
    rate = gigaflops("float32" if way == "int8" else way, "cpu")
    lines = [
        f"small, {way}: products of matrices reach {rate:.0f} GFLOP/s here",
        "",
        "| step | GFLOP | floor, s | took, s | operators |",
        "|---|---|---|---|---|",
    ]
    for name, step in zip(STEPS, slice_of_a_pass(build("small", way, folder), grey), strict=True):
        with FlopCounterMode(display=False) as counter:
            step()
        start = time.process_time()
        step()
        took = time.process_time() - start
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            step()
        spent = {one.key: one.self_cpu_time_total for one in profile.key_averages()}
        whole = sum(spent.values())
        greatest = sorted(spent, key=spent.__getitem__, reverse=True)[:GREATEST_OPERATORS]
        shares = ", ".join(f"{key.split('::')[-1]} {spent[key] / whole:.0%}" for key in greatest)
        count = counter.get_total_flops() / 1e9
        lines.append(f"| {name} | {count:.0f} | {count / rate:.2f} | {took:.2f} | {shares} |")
    return "\n".join([*lines, ""])


def _quoted(argument: str) -> str:
    return f'"{argument}"' if " " in argument else argument


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", default=",".join(WAYS), help="commas join")
    parser.add_argument("--title", default="What a slice costs", help="Of the page's section.")
    parser.add_argument("--write", type=Path, help="The page whose section is written.")
    parser.add_argument("--operators", metavar="PRECISION", help="Where the time goes instead.")
    given = parser.parse_args()
    if given.operators:
        with tempfile.TemporaryDirectory() as folder:
            sys.stdout.write(operators(given.operators, Path(folder)))
        return
    rows = [row for way in given.ways.split(",") for row in WAYS[way]]
    with tempfile.TemporaryDirectory() as folder:
        found = measure(rows, given.rounds, Path(folder))
        reference = of_reference(Path(folder))
    heading = f"## {given.title}"
    text = section(heading, rows, found, reference, given.rounds)
    sys.stdout.write(text)
    if given.write is None:
        return
    page = given.write.read_text(encoding="utf-8")
    before, _, after = page.partition(f"\n{heading}\n")
    _, next_heading, rest = after.partition("\n## ")
    given.write.write_text(f"{before.rstrip()}\n\n{text}{next_heading}{rest}", encoding="utf-8")


if __name__ == "__main__":
    main()
