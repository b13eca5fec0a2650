"""A tiny SAM 2 of random weights: real architecture, senseless masks."""

from __future__ import annotations

from pathlib import Path


def build(folder: Path) -> Path:
    """Save it as transformers does; return the folder."""
    import torch
    from transformers import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(0)
    widths = [16, 32, 64, 128]
    config = Sam2VideoConfig(
        vision_config={
            "model_type": "sam2_vision_model",
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": widths[0],
                "image_size": [64, 64],
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": widths,
                "num_attention_heads_per_stage": [1, 2, 2, 2],
                "window_size_per_stage": [4, 4, 4, 2],
                "global_attention_blocks": [3],
            },
            "backbone_channel_list": widths[::-1],
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 64,
        },
        prompt_encoder_config={"hidden_size": 64, "image_size": 64},
        mask_decoder_config={"hidden_size": 64, "mlp_dim": 64, "iou_head_hidden_dim": 64},
        image_size=64,
        memory_attention_hidden_size=64,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_rope_feat_sizes=[4, 4],
        memory_encoder_hidden_size=64,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=64,
        memory_fuser_embed_dim=64,
        memory_fuser_intermediate_dim=64,
    )
    network = Sam2VideoModel(config)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.dim() > 1 or "temporal" in name:
                value.copy_(torch.randn(value.shape) * 0.15)
        # positive object scores: otherwise every mask is empty
        network.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5.0)
        matrix = network.shared_image_embedding.positional_embedding
        network.prompt_encoder.shared_embedding.positional_embedding.copy_(matrix)
    network.save_pretrained(folder)
    return folder
