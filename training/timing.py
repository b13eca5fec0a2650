"""What sizes cost, in seconds of processor time: ``python -m training.timing``.

Of each size: parameters; making the scenes of a step and the step itself, a stack; and a slice of
eight labels at run time, each in a crop of its own, with two outlines and two recent slices to
attend to. Processor time of one thread, so that other work on the machine counts for little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from training.architecture import VERSION_1, Architecture, new_model, quicken
from training.machine import keep_freed_memory
from training.recipe import Recipe, Stage, plan_step
from training.scenes.stack import make_batch
from training.step import step_loss
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.model.base import Tracking
from voxtrail.model.families.sam2 import Sam2Family, sam2_model

ARCHITECTURES = {
    "version-1": VERSION_1,
    "memory-4": Architecture(memory_layers=4),
    "wide": Architecture(width=44, memory_layers=4),
    "deep": Architecture(width=40, blocks=(1, 2, 9, 2), memory_layers=4),
}
"""Sizes to choose among; all below 32 MB."""

LABELS = 8
STACKS = 2


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of something done once, after it was done once to warm up."""
    work()
    began = time.process_time()
    work()
    return time.process_time() - began


def step_seconds(architecture: Architecture, size: int, largest: int) -> tuple[float, float]:
    """Return seconds a stack: to make its scene, and of its share of a step."""
    stage = Stage(
        "stacks", 100, size=size, stacks=STACKS, largest=largest, outlines=(5,), clicks=0.0
    )
    plan = plan_step(Recipe((stage,), architecture), 7)
    model = new_model(architecture, size, 0).train()
    quicken(model)
    made = seconds(lambda: make_batch(plan.stacks, plan.seed))
    batch = make_batch(plan.stacks, plan.seed)
    stepped = seconds(lambda: step_loss(model, batch, plan, 0.5).backward())
    return made / STACKS, stepped / STACKS


def slice_seconds(architecture: Architecture, size: int) -> float:
    """Return seconds of one slice of eight labels at run time."""
    network = new_model(architecture, size, 0)
    model = sam2_model(network, Sam2Family().spec)
    rng = np.random.default_rng(0)
    slices = rng.random((LABELS, 96, 96)).astype(np.float32)
    features = model.encode(slices)
    outline = np.zeros((96, 96), dtype=bool)
    outline[30:60, 30:60] = True
    drawn = [
        model.prompt(one, [MaskPrompt(1, Axis.AXIAL, 0, outline)], (96, 96)) for one in features
    ]
    memories = model.memorise(features, drawn)

    def work() -> None:
        encoded = model.encode(slices)
        trackings = [
            Tracking(
                one,
                ((memory, 6), (memory, 6), (memory, 0), (memory, 5)),
                tuple((prediction.pointer, k / 15) for k in range(8)),
            )
            for one, memory, prediction in zip(encoded, memories, drawn, strict=True)
        ]
        found = model.track(trackings)
        model.memorise(encoded, found)
        model.masks(found, (96, 96))

    return seconds(work)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256, 384, 512])
    parser.add_argument("--architectures", nargs="+", default=list(ARCHITECTURES))
    options = parser.parse_args(arguments)
    keep_freed_memory()
    torch.set_num_threads(1)
    print(
        "| architecture | pixels | parameters | scene, s | step, s a stack | 8 labels, s a slice |"
    )
    print("|---|---|---|---|---|---|")
    for name in options.architectures:
        architecture = ARCHITECTURES[name]
        count = sum(p.numel() for p in new_model(architecture, 128, 0).parameters())
        for size in options.sizes:
            made, stepped = step_seconds(architecture, size, largest=min(160, size * 3 // 4))
            sliced = slice_seconds(architecture, size)
            print(
                f"| {name} | {size} | {count / 1e6:.1f} M | {made:.2f} | {stepped:.2f} "
                f"| {sliced:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
