"""SAM 3's own tracker (PyPI sam3) on random weights, with a small image encoder; see the package.

It was written for CUDA: what asks for a GPU is answered with the processor. Its predictor forgets
what was tracked near a drawn slice that it passes; that is a policy, and is turned off. A drawn
mask that it has to resize keeps grey edges, so masks have the size at which it reads them.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import numpy as np
import torch

from tests.parity.authors import import_from
from tests.parity.authors.cases import SLICES, cases
from tests.parity.reference import Case, slices
from voxtrail.core.prompts import BoxPrompt, MaskPrompt

#: Side of the input: nine positions a side, so that windows of four are padded; and that of the
#: slices, which is where the predictor reads drawn masks.
SIZE = 126
DRAWN = 16 * SIZE // 14
SHAPE = (DRAWN, DRAWN)
ENCODER = {
    "img_size": SIZE,
    "pretrain_img_size": 56,
    "embed_dim": 64,
    "depth": 4,
    "num_heads": 2,
    "mlp_ratio": 2.0,
    "global_att_blocks": (1, 3),
    "window_size": 4,
}
#: Random memory attention is drawn this much larger than PyTorch draws it, so that memory matters.
MEMORY_GAIN = 1.5
#: Imported by its detector and its demonstrations.
UNUSED = ("triton", "pycocotools", "decord")


class _Unused(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name.split(".")[0] not in UNUSED:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return MagicMock(name=spec.name, __spec__=spec, __path__=[])

    def exec_module(self, module: ModuleType) -> None:
        pass


def build():
    """Build the tracker with seeded random weights, with which memory matters."""
    from sam3 import model_builder as builder

    for name in ("cuda", "pin_memory"):
        setattr(torch.Tensor, name, lambda self, *_, **__: self)
    vit, encoding = builder.ViT, builder.PositionEmbeddingSine
    masks, attention = builder.SimpleMaskDownSampler, builder.RoPEAttention
    builder.ViT = lambda **named: vit(**{**named, **ENCODER})
    builder.PositionEmbeddingSine = lambda **named: encoding(
        **{**named, "precompute_resolution": None}
    )
    builder.SimpleMaskDownSampler = lambda **named: masks(
        **{**named, "interpol_size": [DRAWN, DRAWN]}
    )
    side = SIZE // 14
    builder.RoPEAttention = lambda **named: attention(**{**named, "feat_sizes": [side, side]})
    predictor = builder.Sam3TrackerPredictor
    builder.Sam3TrackerPredictor = lambda **named: predictor(
        **{**named, "image_size": SIZE, "clear_non_cond_mem_around_input": False}
    )
    torch.manual_seed(0)
    tracker = builder.build_tracker(apply_temporal_disambiguation=False, with_backbone=True)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, value in tracker.named_parameters():
            if "gamma" in key or key in ("maskmem_tpos_enc", "no_obj_embed_spatial"):
                value.copy_(torch.randn(value.shape, generator=generator))
            elif value.dim() > 1 and key.startswith("transformer"):
                value.mul_(MEMORY_GAIN)
        tracker.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(5.0)
    return tracker.eval()


def track(tracker, stack: np.ndarray, case: Case) -> dict[int, np.ndarray]:
    """Return mask logits by slice of a case of one object."""
    import torch.nn.functional as F  # noqa: N812

    rows, columns = stack.shape[1:]
    state = tracker.init_state(
        video_height=rows, video_width=columns, num_frames=len(stack), offload_state_to_cpu=True
    )
    grey = torch.from_numpy(stack)[:, None]
    grey = F.interpolate(grey, (SIZE, SIZE), mode="bilinear", antialias=True)
    state["images"] = ((grey - 0.5) / 0.5).expand(-1, 3, -1, -1)
    scale = np.array([columns, rows], np.float32)
    for prompt in case.prompts[1]:
        if isinstance(prompt, MaskPrompt):
            tracker.add_new_mask(state, prompt.slice_index, 1, torch.from_numpy(prompt.mask))
            continue
        if isinstance(prompt, BoxPrompt):
            drawn = {"box": np.array(prompt.box_xyxy, np.float32).reshape(2, 2) / scale}
            drawn["box"] = torch.from_numpy(drawn["box"].reshape(-1))
        else:
            drawn = {
                "points": torch.from_numpy(np.array(prompt.points_xy, np.float32) / scale),
                "labels": torch.tensor(prompt.positive, dtype=torch.int32),
            }
        tracker.add_new_points_or_box(state, prompt.slice_index, 1, **drawn)
    return {
        index: masks[0, 0].numpy()
        for index, _, _, masks, _ in tracker.propagate_in_video(
            state, case.start, None, case.reverse, tqdm_disable=True, propagate_preflight=True
        )
    }


def folder_of(tracker, folder: Path) -> None:
    """Save the weights and their configuration as transformers lays them out."""
    from safetensors.torch import save_file

    from voxtrail.model import official

    state: dict[str, torch.Tensor] = {}
    for key, value in tracker.state_dict().items():
        name = key
        for pattern, replacement in RENAMES:
            name = re.sub(pattern, replacement, name)
        if not LEFT_OUT.search(key):
            state[name] = value.clone()
    tensors: dict[str, torch.Tensor] = {}
    for name, value in official.convert(state).items():
        match = re.match(r"(vision_encoder\.backbone\..*attention)\.qkv\.(\w+)", name)
        if match is None:
            tensors[name] = value.contiguous()
            continue
        for part, third in zip("qkv", value.chunk(3), strict=True):
            tensors[f"{match[1]}.{part}_proj.{match[2]}"] = third.contiguous()
    place = "vision_encoder.backbone.embeddings.position_embeddings"
    tensors[place] = tensors[place][:, 1:].contiguous()  # the first is a class token's
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = {
        "model_type": "sam3_tracker_video",
        "image_size": SIZE,
        "vision_config": {
            "model_type": "sam3_vision_model",
            "backbone_config": {
                "model_type": "sam3_vit_model",
                "hidden_size": ENCODER["embed_dim"],
                "intermediate_size": int(ENCODER["embed_dim"] * ENCODER["mlp_ratio"]),
                "num_hidden_layers": ENCODER["depth"],
                "num_attention_heads": ENCODER["num_heads"],
                "window_size": ENCODER["window_size"],
                "global_attn_indexes": list(ENCODER["global_att_blocks"]),
                "pretrain_image_size": ENCODER["pretrain_img_size"],
                "image_size": SIZE,
                "layer_norm_eps": 1e-5,  # transformers' default is a tenth of it
            },
        },
    }
    (folder / "config.json").write_text(json.dumps(config))


#: From the names of the authors to those of SAM 2's authors, or at once to transformers'.
RENAMES = (
    (r"^backbone\.vision_backbone\.trunk\.", "vision_encoder.backbone."),
    (r"^backbone\.vision_backbone\.sam2_convs\.", "vision_encoder.neck.fpn_layers."),
    (r"backbone\.pos_embed$", "backbone.embeddings.position_embeddings"),
    (r"backbone\.patch_embed\.proj\.", "backbone.embeddings.patch_embeddings.projection."),
    (r"backbone\.ln_pre\.", "backbone.layer_norm."),
    (r"backbone\.blocks\.(\d+)\.", r"backbone.layers.\1."),
    (r"\.attn\.proj\.", ".attention.o_proj."),
    (r"\.attn\.", ".attention."),
    (r"\.dconv_2x2_1\.", ".scale_layers.2."),
    (r"\.dconv_2x2(_0)?\.", ".scale_layers.0."),
    (r"\.conv_1x1\.", ".proj1."),
    (r"\.conv_3x3\.", ".proj2."),
    (r"(transformer\.layers\.\d\.mlp)\.lin1\.", r"\1.layers.0."),
    (r"(transformer\.layers\.\d\.mlp)\.lin2\.", r"\1.layers.1."),
    (r"^transformer\.encoder\.", "memory_attention."),
    (r"^maskmem_backbone\.", "memory_encoder."),
)
#: What is the detector's, or is computed anew.
LEFT_OUT = re.compile(r"^backbone\.vision_backbone\.convs\.|\.freqs_cis$")


def main(packages: str, out: Path) -> None:
    """Write a folder of weights and ``logits.npz``."""
    import_from(packages)
    sys.meta_path.append(_Unused())
    with torch.inference_mode():
        tracker = build()
        folder_of(tracker, out)
        stack = slices(SLICES, SHAPE)
        found = {}
        for name, case in cases(SHAPE).items():
            for index, logits in track(tracker, stack, case).items():
                found[f"{name}/{index}"] = logits
    np.savez(out / "logits.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
