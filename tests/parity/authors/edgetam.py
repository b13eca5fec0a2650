"""EdgeTAM's own predictor (PyPI edgetam-dimos) on random weights; see the package."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tests.parity.authors import import_from
from tests.parity.authors.cases import SLICES, cases
from tests.parity.reference import Case, slices
from voxtrail.core.prompts import BoxPrompt, MaskPrompt

#: Side of the input: the smallest that the perceiver's sixteen windows a side allow.
SIZE = 256
SHAPE = (96, 80)
#: Random memory attention is drawn this much larger than PyTorch draws it, so that memory matters.
MEMORY_GAIN = 1.5


def build():
    """Build the predictor with seeded random weights, with which memory matters."""
    import sam2.modeling.backbones.timm as backbone
    from sam2.build_sam import build_sam2_video_predictor

    create = backbone.create_model
    backbone.create_model = lambda *a, pretrained, **named: create(*a, pretrained=False, **named)
    side = SIZE // 16
    attention = "++model.memory_attention.layer"
    torch.manual_seed(0)
    predictor = build_sam2_video_predictor(
        "configs/edgetam.yaml",
        device="cpu",
        hydra_overrides_extra=[
            f"++model.image_size={SIZE}",
            f"{attention}.self_attention.feat_sizes=[{side},{side}]",
            f"{attention}.cross_attention.q_sizes=[{side},{side}]",
        ],
    )
    predictor.fill_hole_area = 0
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, value in predictor.named_parameters():
            if "gamma" in key or key == "maskmem_tpos_enc":
                value.copy_(torch.randn(value.shape, generator=generator))
            elif value.dim() > 1 and "memory_attention" in key:
                value.mul_(MEMORY_GAIN)
        for module in predictor.modules():
            if isinstance(module, nn.BatchNorm2d):
                count = module.num_features
                module.running_mean.copy_(0.1 * torch.randn(count, generator=generator))
                module.running_var.copy_(0.5 + torch.rand(count, generator=generator))
                module.weight.copy_(0.5 + torch.rand(count, generator=generator))
        predictor.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(5.0)
    return predictor.eval()


def track(predictor, stack: np.ndarray, case: Case) -> dict[int, np.ndarray]:
    """Return mask logits by slice of a case of one object."""
    import sam2.sam2_video_predictor as module

    from voxtrail.bench.peers import _images

    rows, columns = stack.shape[1:]
    module.load_video_frames = lambda **_: (_images(stack, SIZE), rows, columns)
    state = predictor.init_state("")
    for prompt in case.prompts[1]:
        if isinstance(prompt, MaskPrompt):
            predictor.add_new_mask(state, prompt.slice_index, 1, prompt.mask)
        elif isinstance(prompt, BoxPrompt):
            box = np.array(prompt.box_xyxy, np.float32)
            predictor.add_new_points_or_box(state, prompt.slice_index, 1, box=box)
        else:
            predictor.add_new_points_or_box(
                state,
                prompt.slice_index,
                1,
                points=np.array(prompt.points_xy, np.float32),
                labels=np.array(prompt.positive, np.int32),
            )
    return {
        index: logits[0, 0].numpy()
        for index, _, logits in predictor.propagate_in_video(
            state, start_frame_idx=case.start, reverse=case.reverse
        )
    }


def main(packages: str, out: Path) -> None:
    """Write ``weights.pt`` and ``logits.npz``."""
    import_from(packages)
    predictor = build()
    torch.save({"model": predictor.state_dict()}, out / "weights.pt")
    found = {}
    stack = slices(SLICES, SHAPE)
    with torch.inference_mode():
        for name, case in cases(SHAPE).items():
            for index, logits in track(predictor, stack, case).items():
                found[f"{name}/{index}"] = logits
    np.savez(out / "logits.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
