"""What a slice costs: EdgeTAM beside SAM 2.1 tiny and small and PyPI's ``sam2``, random weights.

    python benchmarks/families.py --rounds 3 --write docs/benchmarks.md

One slice of a long pass with the baseline's memory: seven memories, sixteen pointers. The models
take turns, step by step, and what is counted is the processor's time, which other work on the
machine stretches less than the clock's. The reference predictor, with the weights of small in
float32, carries an outline through a stack; counted are the slices that attend to seven memories.
With --write the section of the page is written anew; ``voxtrail bench --write`` writes all of the
page, so this comes after it.
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

from voxtrail.bench import peers
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.model.base import Tracking
from voxtrail.model.shortcuts import Precision, Shortcuts
from voxtrail.model.torch_model import TorchSliceModel
from voxtrail.model.weights import load_model

SIZE = 1024
MEMORIES, POINTERS = 7, 16
MODELS = ("edgetam", "tiny", "small")
#: Slices of the reference's pass; it remembers the outlined one and the last six.
REFERENCE_SLICES = 11
STEPS = ("image encoder", "attention and mask decoder", "memory encoder")
SECTION = "## Families"


def build(name: str, precision: Precision, folder: Path) -> TorchSliceModel:
    """Build a model of random weights at its published size."""
    shortcuts = Shortcuts(precision)
    if name == "edgetam":
        return _edgetam(shortcuts)
    path = folder / f"{name}.pt"
    if not path.exists():
        peers.write_random_weights(name, path)
    model = load_model(str(path), resolution=SIZE, device="cpu", shortcuts=shortcuts).model
    assert isinstance(model, TorchSliceModel)
    return model


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


def slice_of_a_pass(model: TorchSliceModel, grey: np.ndarray) -> list[Callable[[], object]]:
    """Return the steps of one slice that attends to seven memories, to be called in order."""
    (features,) = model.encode(grey)
    drawn = model.prompt(features, [MaskPrompt(1, Axis.AXIAL, 0, grey[0] > 0.5)], grey.shape[1:])
    (memory,) = model.memorise([features], [drawn])
    embeddings = (model.memory_spec.prompt_embedding, *range(MEMORIES - 1))
    tracking = Tracking(
        features,
        tuple((memory, embedding) for embedding in embeddings),
        tuple((drawn.pointer, step / POINTERS) for step in range(POINTERS)),
    )
    return [
        lambda: model.encode(grey),
        lambda: model.track([tracking]),
        lambda: model.memorise([features], [drawn]),
    ]


def measure(precision: Precision, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Return by model the processor's seconds of each step: medians of interleaved rounds."""
    grey = np.random.default_rng(0).random((1, 128, 128), dtype=np.float32)
    steps = {name: slice_of_a_pass(build(name, precision, folder), grey) for name in MODELS}
    spent: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for number in range(len(STEPS)):
            for name in MODELS:
                start = time.process_time()
                steps[name][number]()
                spent[name, number].append(time.process_time() - start)
    return {
        name: [statistics.median(spent[name, number]) for number in range(len(STEPS))]
        for name in MODELS
    }


def of_reference(folder: Path) -> float:
    """Return the processor's seconds of a slice of PyPI's ``sam2``: the median of a pass."""
    weights = folder / "small.pt"
    if not weights.exists():
        peers.write_random_weights("small", weights)
    predictor = peers.build_sam2("small", "2.1", SIZE)
    predictor.load_state_dict(torch.load(weights, weights_only=True)["model"])
    stack = np.random.default_rng(0).random((REFERENCE_SLICES, 128, 128), dtype=np.float32)
    spent = []
    with torch.inference_mode():
        state = peers.state_of(predictor, stack)
        predictor.add_new_mask(state, 0, 1, stack[0] > 0.5)
        start = time.process_time()
        for _ in predictor.propagate_in_video(state):
            spent.append(time.process_time() - start)
            start = time.process_time()
    return statistics.median(spent[MEMORIES:])


def section(found: dict[str, dict[str, list[float]]], reference: float, rounds: int) -> str:
    """Return the page's section."""
    names = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    processor = dict((key.strip(), value.strip()) for key, _, value in names)["model name"]
    load = os.getloadavg()[1]
    lines = [
        SECTION,
        "",
        f"Written by `python benchmarks/families.py --rounds {rounds}`: {processor}, "
        f"{os.cpu_count()} cores, threads: {torch.get_num_threads()}, load {load:.1f}, "
        f"{datetime.date.today()}; torch {torch.__version__}. Random weights of the published "
        f"sizes, one slice at {SIZE} pixels that attends to {MEMORIES} memories and {POINTERS} "
        "pointers, one label. Seconds of the processor's time, all cores together, which other "
        "work on the machine stretches less than the clock's; medians of interleaved rounds. "
        f"`sam2`: slices {MEMORIES + 1} to {REFERENCE_SLICES} of a pass, which attend to as many "
        "memories.",
        "",
        "| model | precision | " + " | ".join(STEPS) + " | all | of small's | of `sam2`'s |",
        "|---|---|" + "---|" * (len(STEPS) + 3),
        f"| `sam2`, small | float32 |{' |' * len(STEPS)} {reference:.2f} | | 1 |",
    ]
    for precision, by_model in found.items():
        whole = {name: sum(seconds) for name, seconds in by_model.items()}
        for name, seconds in by_model.items():
            steps = " | ".join(f"{one:.3f}" for one in seconds)
            share = f"1 / {whole['small'] / whole[name]:.1f}" if name != "small" else "1"
            faster = f"1 / {reference / whole[name]:.1f}"
            lines.append(
                f"| {name} | {precision} | {steps} | {whole[name]:.2f} | {share} | {faster} |"
            )
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precisions", default="float32,bfloat16")
    parser.add_argument("--write", type=Path, help="The page whose section is written anew.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            precision: measure(precision, given.rounds, Path(folder))
            for precision in given.precisions.split(",")
        }
        reference = of_reference(Path(folder))
    text = section(found, reference, given.rounds)
    if given.write is None:
        sys.stdout.write(text)
        return
    page = given.write.read_text(encoding="utf-8")
    before, _, after = page.partition(f"\n{SECTION}\n")
    _, heading, rest = after.partition("\n## ")
    given.write.write_text(f"{before.rstrip()}\n\n{text}{heading}{rest}", encoding="utf-8")


if __name__ == "__main__":
    main()
