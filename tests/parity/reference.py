"""The reference predictor (PyPI sam2) on random weights, and voxtrail on the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.bench import peers
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, Prompt
from voxtrail.memory import parse_policy
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.schedule import Pass
from voxtrail.propagate.stack import Stack

#: Side of the input. The architecture is the same at every multiple of 32 (MedSAM2 runs at 512).
SIZE = 128


def build_reference(name: str, size: int = SIZE, device: str = "cpu"):
    """Build a predictor of a size (``tiny``, or ``tiny-2.0``) with random weights."""
    version = "2.0" if name.endswith("-2.0") else "2.1"
    predictor = peers.build_sam2(name.removesuffix("-2.0"), version, size, device)
    return peers.randomised(predictor)


def save_official(predictor, path: Path) -> Path:
    """Save weights as Meta publishes them."""
    peers.write_official(predictor, path)
    return path


def slices(count: int, shape_hw: tuple[int, int] = (96, 80), seed: int = 0) -> NDArray[np.float32]:
    """Return a stack in which a bright disc moves and grows over a noisy ground."""
    rng = np.random.default_rng(seed)
    stack = rng.uniform(0.2, 0.4, (count, *shape_hw))
    for index in range(count):
        stack[index][disc(index, shape_hw)] += 0.5
    return stack.clip(0, 1).astype(np.float32)


def disc(index: int, shape_hw: tuple[int, int] = (96, 80), offset: int = 0) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[: shape_hw[0], : shape_hw[1]]
    centre = (30 + 2 * index, 28 + 2 * index + offset)
    return np.hypot(rows - centre[0], columns - centre[1]) < 10 + index


@dataclass(frozen=True)
class Case:
    """One comparison: prompts by object, a start, a direction."""

    prompts: dict[int, tuple[Prompt, ...]]
    start: int = 0
    reverse: bool = False


def mask_prompt(index: int, offset: int = 0, label: int = 1) -> MaskPrompt:
    return MaskPrompt(label, Axis.AXIAL, index, disc(index, offset=offset))


def run_reference(
    predictor, stack: NDArray[np.float32], case: Case
) -> dict[int, dict[int, NDArray]]:
    """Return mask logits by object and slice."""
    state = peers.state_of(predictor, stack)
    for label, prompts in case.prompts.items():
        for prompt in prompts:
            if isinstance(prompt, MaskPrompt):
                predictor.add_new_mask(state, prompt.slice_index, label, prompt.mask)
            elif isinstance(prompt, BoxPrompt):
                predictor.add_new_points_or_box(
                    state, prompt.slice_index, label, box=np.array(prompt.box_xyxy, np.float32)
                )
            else:
                predictor.add_new_points_or_box(
                    state,
                    prompt.slice_index,
                    label,
                    points=np.array(prompt.points_xy, np.float32),
                    labels=np.array(prompt.positive, np.int32),
                )
    found: dict[int, dict[int, NDArray]] = {label: {} for label in case.prompts}
    for index, labels, logits in predictor.propagate_in_video(
        state, start_frame_idx=case.start, reverse=case.reverse
    ):
        for position, label in enumerate(labels):
            found[label][index] = logits[position, 0].cpu().numpy()
    return found


def run_voxtrail(
    model,
    stack: NDArray[np.float32],
    case: Case,
    prompt_memory: str = "all",
    memory: str = "recent:k=6",
) -> dict[int, dict[int, NDArray]]:
    """Return mask logits by object and slice."""
    features = FeatureSource(model, stack)
    labels = list(case.prompts)
    stacks = [
        Stack.of(features, {p.slice_index: [p] for p in case.prompts[label]}) for label in labels
    ]
    order: Iterable[int] = (
        range(case.start, -1, -1) if case.reverse else range(case.start, len(stack))
    )
    course = Pass(-1 if case.reverse else 1, tuple(order))
    results = Propagator(model, parse_policy(prompt_memory, memory)).run_passes(
        stacks, [[course]] * len(stacks)
    )
    return {
        label: {
            **{index: result.passes[0].logits[index] for index in course.slices},
            **{index: drawn for index, drawn in result.drawn.items() if index in course.slices},
        }
        for label, result in zip(labels, results, strict=True)
    }


def relative_error(ours: NDArray, theirs: NDArray) -> float:
    """Return the greatest difference over the greatest magnitude of the reference."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
