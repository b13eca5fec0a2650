"""SAM 2's official ``.pt`` layout: recognised from its contents, renamed for transformers.

Facts about the layout come from the reference package's configuration files and module names.
Fine-tuned checkpoints in the same layout (MedSAM2) load the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from voxtrail.errors import WeightsError

#: Parts of official names, and what transformers calls them; every rule is applied, in order.
RENAMES: tuple[tuple[str, str], ...] = (
    (r"^maskmem_tpos_enc$", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed$", "no_memory_embedding"),
    (r"^no_mem_pos_enc$", "no_memory_positional_encoding"),
    (r"^no_obj_ptr$", "no_object_pointer"),
    (r"^no_obj_embed_spatial$", "occlusion_spatial_embedding_parameter"),
    (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
    (r"^obj_ptr_proj\.", "object_pointer_proj."),
    (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
    (r"^image_encoder\.neck\.convs\.(\d+)\.conv\.", r"vision_encoder.neck.convs.\1."),
    (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
    (r"^sam_prompt_encoder\.", "prompt_encoder."),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"^sam_mask_decoder\.", "mask_decoder."),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.out_proj\.", ".o_proj."),
    (r"^memory_attention\.norm\.", "memory_attention.layer_norm."),
    (r"^memory_encoder\.o_proj\.", "memory_encoder.projection."),
    (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
    (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
    (r"\.gamma$", ".scale"),
    (r"\.dwconv\.", ".depthwise_conv."),
    (r"\.pwconv(\d)\.", r".pointwise_conv\1."),
    (r"(memory_fuser\.layers\.\d+)\.norm\.", r"\1.layer_norm."),
)
#: Perceptrons of two layers (blocks of encoder and decoder) and of three (heads).
TWO_LAYER_MLP = re.compile(r"(\.mlp)\.layers\.(\d)\.")
THREE_LAYER_MLP = re.compile(
    r"((?:output_hypernetworks_mlps\.\d+|iou_prediction_head|pred_obj_score_head"
    r"|object_pointer_proj))\.layers\.(\d)\."
)
DOWNSAMPLER = re.compile(r"^memory_encoder\.mask_downsampler\.encoder\.(\d+)\.")
POSITION_MATRIX = "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
POINT_EMBEDDING = "sam_prompt_encoder.point_embeddings.{}.weight"
#: The key by which a state is recognised as this layout.
SIGNATURE = "image_encoder.trunk.patch_embed.proj.weight"


@dataclass(frozen=True)
class OfficialSize:
    """What distinguishes one published size from another.

    Parameters
    ----------
    embed_dim
        Width of the image encoder's first stage; later stages double it.
    heads
        Attention heads of the first stage; later stages double them.
    blocks
        Blocks of each stage.
    global_blocks
        Blocks that attend to the whole image.
    windows
        Side of the attention windows of each stage, in tokens.
    background
        Side of the coarse position embedding.
    """

    embed_dim: int
    heads: int
    blocks: tuple[int, ...]
    global_blocks: tuple[int, ...]
    windows: tuple[int, ...] = (8, 4, 14, 7)
    background: int = 7


#: Source: ``configs/sam2.1/*.yaml`` and Hiera's defaults in the reference package.
OFFICIAL_SIZES: Mapping[str, OfficialSize] = {
    "tiny": OfficialSize(96, 1, (1, 2, 7, 2), (5, 7, 9)),
    "small": OfficialSize(96, 1, (1, 2, 11, 2), (7, 10, 13)),
    "base-plus": OfficialSize(112, 2, (2, 3, 16, 3), (12, 16, 20), background=14),
    "large": OfficialSize(144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8)),
}


def is_official(state: Mapping[str, Any]) -> bool:
    """Tell whether ``state`` is a state dict in the official layout."""
    return SIGNATURE in state


def config_of(state: Mapping[str, Tensor], source: str) -> Any:
    """Return the ``Sam2VideoConfig`` of a state dict, found from the shapes of its tensors.

    Raises
    ------
    WeightsError
        If its image encoder is none of the four published sizes.
    """
    from transformers import Sam2VideoConfig

    width = int(state[SIGNATURE].size(0)) if state[SIGNATURE].dim() else 0
    blocks = {
        int(match.group(1))
        for key in state
        if (match := re.match(r"image_encoder\.trunk\.blocks\.(\d+)\.", key))
    }
    for variant in OFFICIAL_SIZES.values():
        if variant.embed_dim == width and sum(variant.blocks) == len(blocks):
            break
    else:
        raise WeightsError(
            f"{source} is no published size of SAM 2",
            received=f"an image encoder {width} wide with {len(blocks)} blocks",
            accepted=", ".join(
                f"{name} ({v.embed_dim} wide, {sum(v.blocks)} blocks)"
                for name, v in OFFICIAL_SIZES.items()
            ),
            remedy="pass an official SAM 2 checkpoint or one fine-tuned from it",
        )
    widths = [variant.embed_dim * 2**stage for stage in range(4)]
    return Sam2VideoConfig(
        vision_config={
            "model_type": "sam2_vision_model",
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": variant.embed_dim,
                "num_attention_heads": variant.heads,
                "embed_dim_per_stage": widths,
                "num_attention_heads_per_stage": [variant.heads * 2**s for s in range(4)],
                "blocks_per_stage": list(variant.blocks),
                "global_attention_blocks": list(variant.global_blocks),
                "window_size_per_stage": list(variant.windows),
                "window_positional_embedding_background_size": [variant.background] * 2,
            },
            "backbone_channel_list": widths[::-1],
        },
        **options_of(state),
    )


def options_of(state: Mapping[str, Any]) -> dict[str, bool]:
    """Return the two options of the configuration that SAM 2.1 added to SAM 2."""
    return {
        "enable_occlusion_spatial_embedding": "no_obj_embed_spatial" in state,
        "enable_temporal_pos_encoding_for_object_pointers": "obj_ptr_tpos_proj.weight" in state,
    }


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of an official state dict under transformers' names.

    A name that no rule knows comes back as it is, and loading then reports it as unused.
    """
    import torch

    converted: dict[str, Tensor] = {}
    points: dict[int, Tensor] = {}
    for key, tensor in state.items():
        if key == POSITION_MATRIX:
            # One matrix places prompts and image alike.
            converted["shared_image_embedding.positional_embedding"] = tensor
            converted["prompt_encoder.shared_embedding.positional_embedding"] = tensor.clone()
        elif match := re.fullmatch(POINT_EMBEDDING.format(r"(\d)").replace(".", r"\."), key):
            points[int(match.group(1))] = tensor
        else:
            converted[_rename(key)] = tensor
    if points:
        converted["prompt_encoder.point_embed.weight"] = torch.cat(
            [points[index] for index in sorted(points)]
        )
    return converted


def _rename(key: str) -> str:
    if match := DOWNSAMPLER.match(key):
        # Groups of convolution, norm and activation, closed by one more convolution.
        group, part = divmod(int(match.group(1)), 3)
        tail = key[match.end() :]
        head = "memory_encoder.mask_downsampler."
        if group == 4:
            return f"{head}final_conv.{tail}"
        return f"{head}layers.{group}.{('conv', 'layer_norm')[part]}.{tail}"
    for pattern, replacement in RENAMES:
        key = re.sub(pattern, replacement, key)
    key = TWO_LAYER_MLP.sub(
        lambda match: f"{match.group(1)}.{('proj_in', 'proj_out')[int(match.group(2))]}.", key
    )
    return THREE_LAYER_MLP.sub(
        lambda match: (
            f"{match.group(1)}.{('proj_in', 'layers.0', 'proj_out')[int(match.group(2))]}."
        ),
        key,
    )
