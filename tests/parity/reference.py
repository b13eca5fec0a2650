"""The reference predictor (PyPI sam2) on random weights, and voxtrail on the same ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, Prompt
from voxtrail.memory import parse_policy
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.propagator import Propagator, Stack
from voxtrail.propagate.schedule import Pass

CONFIGS = {
    "tiny": "configs/sam2.1/sam2.1_hiera_t.yaml",
    "small": "configs/sam2.1/sam2.1_hiera_s.yaml",
    "base-plus": "configs/sam2.1/sam2.1_hiera_b+.yaml",
    "large": "configs/sam2.1/sam2.1_hiera_l.yaml",
    "tiny-2.0": "configs/sam2/sam2_hiera_t.yaml",
    "small-2.0": "configs/sam2/sam2_hiera_s.yaml",
    "base-plus-2.0": "configs/sam2/sam2_hiera_b+.yaml",
    "large-2.0": "configs/sam2/sam2_hiera_l.yaml",
}
#: Side of the input. The architecture is the same at every multiple of 32 (MedSAM2 runs at 512).
SIZE = 128
#: Random weights of the memory attention are drawn this much larger than PyTorch draws them.
MEMORY_GAIN = 3.0


def build_reference(name: str, size: int = SIZE, device: str = "cpu", **overrides: object):
    """Build a predictor with random weights, large enough that memory matters."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        # hydra and iopath are old and warn on import
        warnings.simplefilter("ignore")
        from sam2.build_sam import build_sam2_video_predictor

        settings = {"image_size": size, **overrides}
        predictor = build_sam2_video_predictor(
            CONFIGS[name],
            device=device,
            hydra_overrides_extra=[
                *(f"++model.{key}={value}" for key, value in settings.items()),
                *(
                    f"++model.memory_attention.layer.{part}.feat_sizes=[{size // 16},{size // 16}]"
                    for part in ("self_attention", "cross_attention")
                ),
            ],
        )
    # The reference fills holes only where its CUDA extension is built, and warns elsewhere.
    predictor.fill_hole_area = 0
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, value in predictor.named_parameters():
            if "gamma" in key or key in ("maskmem_tpos_enc", "no_obj_embed_spatial"):
                value.copy_(torch.randn(value.shape, generator=generator))
            elif value.dim() > 1 and "memory_attention" in key:
                value.mul_(MEMORY_GAIN)
        # Object scores that are positive on some slices and negative on others would make most
        # masks empty: keep the object there, as a tracked structure is.
        predictor.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(5.0)
    return predictor.eval()


def save_official(predictor, path: Path) -> Path:
    """Save weights as Meta publishes them."""
    torch.save({"model": predictor.state_dict()}, path)
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
    state = _state(predictor, stack)
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


def _state(predictor, stack: NDArray[np.float32]):
    """Make the reference's state from the very tensors that voxtrail's model sees.

    ``init_state`` reads JPEG files only; everything after the reading is the reference's own.
    """
    from collections import OrderedDict

    size = predictor.image_size
    grey = torch.nn.functional.interpolate(
        torch.from_numpy(stack)[:, None], (size, size), mode="bilinear", antialias=True
    )
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    device = predictor.device
    state = {
        "images": ((grey - mean) / std).to(device),
        "num_frames": len(stack),
        "offload_video_to_cpu": False,
        "offload_state_to_cpu": False,
        "video_height": stack.shape[1],
        "video_width": stack.shape[2],
        "device": device,
        "storage_device": device,
        "obj_id_to_idx": OrderedDict(),
        "obj_idx_to_id": OrderedDict(),
        "obj_ids": [],
    }
    for key in (
        "point_inputs_per_obj",
        "mask_inputs_per_obj",
        "cached_features",
        "constants",
        "output_dict_per_obj",
        "temp_output_dict_per_obj",
        "frames_tracked_per_obj",
    ):
        state[key] = {}
    return state


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
    stacks = [Stack(features, {p.slice_index: p for p in case.prompts[label]}) for label in labels]
    order: Iterable[int] = (
        range(case.start, -1, -1) if case.reverse else range(case.start, len(stack))
    )
    course = Pass(-1 if case.reverse else 1, tuple(order))
    results = Propagator(model, parse_policy(prompt_memory, memory)).follow(
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
