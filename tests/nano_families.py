"""Tiny networks of the other families, of random weights with which memory matters."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from voxtrail.model.torch_model import TorchSliceModel

#: Sides of the input that the networks are built for, in pixels. SAM 3's gives nine positions a
#: side, so that windows of four are padded.
EDGETAM_SIZE = 256
SAM3_SIZE = 126
#: Twice that of memories: transformers cannot do with pointers of one token.
WIDTH = 128
COMMON: dict[str, Any] = {
    "mask_decoder_config": {"hidden_size": WIDTH, "mlp_dim": 64, "iou_head_hidden_dim": 64},
    "memory_attention_hidden_size": WIDTH,
    "memory_encoder_hidden_size": WIDTH,
    "memory_encoder_output_channels": 64,
    "mask_downsampler_embed_dim": WIDTH,
    "memory_fuser_embed_dim": WIDTH,
    "memory_fuser_intermediate_dim": 64,
    # of SAM 2.1, which either has as an option
    "enable_occlusion_spatial_embedding": True,
    "enable_temporal_pos_encoding_for_object_pointers": True,
}
BACKBONE = {
    "model_type": "timm_wrapper",
    "architecture": "repvit_m1.dist_in1k",
    "model_args": {
        "in_chans": 3,
        "features_only": True,
        "out_indices": [0, 1, 2, 3],
        "embed_dim": [16, 32, 48, 64],
        "depth": [1, 1, 2, 1],
    },
}


def build_edgetam(folder: Path) -> Path:
    """Save a tiny EdgeTAM as transformers does; return the folder."""
    from transformers import EdgeTamVideoConfig, EdgeTamVideoModel
    from transformers.models.edgetam.configuration_edgetam import EdgeTamVisionConfig

    from voxtrail.model import repvit

    repvit.register()
    side = EDGETAM_SIZE // 16
    backbone = repvit.config_of_timm(BACKBONE)
    assert backbone.widths is not None
    config = EdgeTamVideoConfig(
        vision_config=EdgeTamVisionConfig(
            backbone_config=backbone,
            backbone_channel_list=backbone.widths[::-1],
            backbone_feature_sizes=[[n * side, n * side] for n in (4, 2, 1)],
            fpn_hidden_size=WIDTH,
        ),
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": EDGETAM_SIZE},
        image_size=EDGETAM_SIZE,
        memory_attention_num_layers=2,
        memory_attention_mlp_hidden_size=64,
        memory_attention_rope_feat_sizes=[side, side],
        memory_attention_rope_k_sizes=[8, 8],
        perceiver_resampler_num_latents=16,
        perceiver_resampler_num_latents_2d=64,
        perceiver_resampler_mlp_intermediate_size=64,
        **COMMON,
    )
    torch.manual_seed(0)
    network = EdgeTamVideoModel(config)
    randomise(network, memory_gain=0.25)
    network.save_pretrained(folder)
    written = folder / "config.json"
    held = json.loads(written.read_text())
    held["vision_config"]["backbone_config"] = BACKBONE  # as it is published
    written.write_text(json.dumps(held))
    return folder


def build_sam3(folder: Path) -> Path:
    """Save a tiny tracker of SAM 3 as transformers does; return the folder."""
    from transformers import Sam3TrackerVideoConfig, Sam3TrackerVideoModel

    from voxtrail.model.families import sam3_tracker

    sam3_tracker.register()
    config = Sam3TrackerVideoConfig(
        vision_config={
            "model_type": "sam3_vision_model",
            "backbone_config": {
                "model_type": "sam3_vit_model",
                "hidden_size": 32,
                "intermediate_size": 48,
                "num_hidden_layers": 4,
                "num_attention_heads": 2,
                "window_size": 4,
                "global_attn_indexes": [1, 3],
                "pretrain_image_size": 56,
                "image_size": SAM3_SIZE,
            },
            "fpn_hidden_size": WIDTH,
        },
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": SAM3_SIZE},
        image_size=SAM3_SIZE,
        memory_attention_num_layers=2,
        memory_attention_feed_forward_hidden_size=64,
        **COMMON,
    )
    torch.manual_seed(0)
    network = Sam3TrackerVideoModel(config)
    randomise(network, memory_gain=0.1)
    network.save_pretrained(folder)
    return folder


def published_edgetam() -> TorchSliceModel:
    """Return an EdgeTAM of the published size with random weights, at 1024 pixels."""
    from transformers import EdgeTamVideoConfig, EdgeTamVideoModel

    from voxtrail.model import repvit
    from voxtrail.model.families import edgetam

    repvit.register()
    torch.manual_seed(0)
    network = EdgeTamVideoModel(EdgeTamVideoConfig.from_dict(edgetam.without_timm({})))
    randomise(network, memory_gain=0.06, encoder=False)
    network = network.eval().requires_grad_(False)
    return edgetam.edgetam_model(network, edgetam.EdgeTamFamily().spec)


def published_sam3() -> TorchSliceModel:
    """Return SAM 3's tracker of the published size at 1008 pixels, but for its encoder's depth."""
    from transformers import Sam3TrackerVideoConfig, Sam3TrackerVideoModel

    from voxtrail.model.families import sam3_tracker

    sam3_tracker.register()
    config = Sam3TrackerVideoConfig(
        vision_config={
            "model_type": "sam3_vision_model",
            "backbone_config": {
                "model_type": "sam3_vit_model",
                "num_hidden_layers": 2,
                "global_attn_indexes": [1],
            },
        }
    )
    torch.manual_seed(0)
    network = Sam3TrackerVideoModel(config)
    randomise(network, memory_gain=0.06)
    network = network.eval().requires_grad_(False)
    return sam3_tracker.sam3_model(network, sam3_tracker.Sam3TrackerFamily().spec)


def randomise(network: Any, memory_gain: float, *, encoder: bool = True) -> None:
    """Give a network seeded weights and objects that are there.

    With a large ``memory_gain`` memory matters; with too large a one it tells slices that differ in
    their last digits apart. Without ``encoder`` the image encoder's stay as they were drawn.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in network.named_parameters():
            drawn = torch.randn(value.shape, generator=generator)
            if not encoder and name.startswith("vision_encoder"):
                continue
            if "memory_attention" in name and value.dim() > 1:
                value.copy_(memory_gain * drawn)
            elif value.dim() > 1 or "temporal" in name or name.endswith((".scale", "embedding")):
                fan = value[0].numel() if value.dim() > 1 else 1
                value.copy_(drawn / max(fan, 1) ** 0.5)
            elif "occlusion" in name:
                value.copy_(drawn)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.copy_(
                    0.1 * torch.randn(module.num_features, generator=generator)
                )
                module.running_var.copy_(0.5 + torch.rand(module.num_features, generator=generator))
        network.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5.0)
        matrix = network.shared_image_embedding.positional_embedding
        network.prompt_encoder.shared_embedding.positional_embedding.copy_(matrix)


def official_edgetam_state(folder: Path) -> dict[str, torch.Tensor]:
    """Return a tiny EdgeTAM's tensors under the names of the authors' file.

    Each rule by hand and backwards, so that voxtrail's own are not their own test.
    """
    from safetensors.torch import load_file

    state: dict[str, torch.Tensor] = {}
    given = load_file(folder / "model.safetensors")
    for name, value in given.items():
        if name.endswith(("num_batches_tracked", ".v_proj.weight")) and "perceiver" in name:
            continue
        if name.endswith("num_batches_tracked") or name == SHARED:
            continue
        if name == "prompt_encoder.point_embed.weight":
            for index in range(len(value)):
                state[f"sam_prompt_encoder.point_embeddings.{index}.weight"] = value[
                    index : index + 1
                ]
            continue
        if "perceiver" in name and name.endswith(".k_proj.weight"):
            value = torch.cat([value, given[name.replace("k_proj", "v_proj")]])
        state[_official(name)] = value
    return state


SHARED = "prompt_encoder.shared_embedding.positional_embedding"


def _official(name: str) -> str:
    whole = {
        "shared_image_embedding.positional_embedding": (
            "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
        ),
        "memory_temporal_positional_encoding": "maskmem_tpos_enc",
        "no_memory_embedding": "no_mem_embed",
        "no_memory_positional_encoding": "no_mem_pos_enc",
        "no_object_pointer": "no_obj_ptr",
        "occlusion_spatial_embedding_parameter": "no_obj_embed_spatial",
        "spatial_perceiver.latents_1d": "spatial_perceiver.latents",
    }
    if name in whole:
        return whole[name]
    downsampler = re.match(r"memory_encoder\.mask_downsampler\.(layers\.(\d)\.)?(\w+)\.(\w+)", name)
    if downsampler:
        _, group, part, kind = downsampler.groups()
        place = 12 if group is None else 3 * int(group) + (part == "layer_norm")
        return f"memory_encoder.mask_downsampler.encoder.{place}.{kind}"
    heads = "iou_prediction_head|pred_obj_score_head|object_pointer_proj"
    head = rf"(output_hypernetworks_mlps\.\d|{heads})"
    name = re.sub(head + r"\.layers\.0\.", r"\1.layers.1.", name)
    for part, place in (("proj_in", 0), ("proj_out", 2)):
        name = re.sub(head + rf"\.{part}\.", rf"\1.layers.{place}.", name)
    name = name.replace(".mlp.proj_in.", ".mlp.layers.0.").replace(
        ".mlp.proj_out.", ".mlp.layers.1."
    )
    if name.startswith("spatial_perceiver."):
        for ours, theirs in (
            (".cross_attention.", ".attn."),
            (".self_attention.", ".self_attn."),
            ("layer_norm_input", "attn.norm_x"),
            ("layer_norm_latents", "attn.norm_latents"),
            ("layer_norm_self", "self_attn.norm"),
            ("q_proj", "to_q"),
            ("k_proj", "to_kv"),
            ("o_proj", "to_out"),
            (".self_mlp.layer_norm", ".self_ff.0"),
            (".self_mlp.up_proj", ".self_ff.1"),
            (".self_mlp.down_proj", ".self_ff.3"),
            (".mlp.layer_norm", ".ff.0"),
            (".mlp.up_proj", ".ff.1"),
            (".mlp.down_proj", ".ff.3"),
            ("spatial_perceiver.layer_norm", "spatial_perceiver.norm"),
        ):
            name = name.replace(ours, theirs)
        return name
    for ours, theirs in (
        ("vision_encoder.backbone.timm_model.", "image_encoder.trunk.body."),
        ("prompt_encoder.mask_embed.conv1", "sam_prompt_encoder.mask_downscaling.0"),
        ("prompt_encoder.mask_embed.layer_norm1", "sam_prompt_encoder.mask_downscaling.1"),
        ("prompt_encoder.mask_embed.conv2", "sam_prompt_encoder.mask_downscaling.3"),
        ("prompt_encoder.mask_embed.layer_norm2", "sam_prompt_encoder.mask_downscaling.4"),
        ("prompt_encoder.mask_embed.conv3", "sam_prompt_encoder.mask_downscaling.6"),
        ("upscale_conv1", "output_upscaling.0"),
        ("upscale_layer_norm", "output_upscaling.1"),
        ("upscale_conv2", "output_upscaling.3"),
        ("layer_norm_final_attn", "norm_final_attn"),
        ("memory_attention.layer_norm", "memory_attention.norm"),
        (".mlp.up_proj", ".linear1"),
        (".mlp.down_proj", ".linear2"),
        ("memory_fuser", "fuser"),
        ("feature_projection", "pix_feat_proj"),
        ("memory_encoder.projection", "memory_encoder.out_proj"),
        ("depthwise_conv", "dwconv"),
        ("pointwise_conv", "pwconv"),
        (".scale", ".gamma"),
        ("temporal_positional_encoding_projection_layer", "obj_ptr_tpos_proj"),
        ("object_pointer_proj", "obj_ptr_proj"),
        ("o_proj", "out_proj"),
    ):
        name = name.replace(ours, theirs)
    name = re.sub(
        r"^vision_encoder\.neck\.convs\.(\d)\.", r"image_encoder.neck.convs.\1.conv.", name
    )
    name = re.sub(r"^(prompt_encoder|mask_decoder)\.", r"sam_\1.", name)
    return re.sub(r"\.layer_norm(\d?)\.", r".norm\1.", name)
