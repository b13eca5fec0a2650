"""The ``micro`` architecture: SAM 2's video model at reduced size, ready to be trained.

`transformers` initialises the model for loading, not for training; `new_model` undoes that.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from transformers import Sam2VideoConfig, Sam2VideoModel
from transformers.models.sam2.modeling_sam2 import Sam2MultiScaleAttention, do_pool

LOCALITY = 2.0
"""First bias of the memory attention's queries and keys.

Rotated by position, equal biases make a token look where it lies itself. From zero, attention is
uniform, the mask in a memory is averaged away, and 250 steps of tracking left it unread.
"""

MEMORY_CHANNELS = 64
"""Width of a memory token; `transformers` fixes it inside the memory attention."""

STRIDE = 16
"""Pixels per feature token, as in SAM 2."""


@dataclass(frozen=True)
class Architecture:
    """How large a model is. The defaults are those of ``micro`` version 1.

    Parameters
    ----------
    width
        Of the first of the image encoder's four stages; each next one is twice as wide.
    blocks
        In each stage, two or more in the third.
    channels
        Width of the neck, the decoder and the memory attention; a multiple of 64 (SAM 2 has 256).
    memory_layers
        Of the memory attention (SAM 2 has 4).
    best_of_three
        Whether tracking decodes three masks and takes the one that it thinks best, as SAM 2 does,
        or only one, however unstable.
    most_outlines
        Outlined slices that are attended to at most, the closest ones; -1 for all of them.
    """

    width: int = 32
    blocks: tuple[int, int, int, int] = (1, 2, 5, 1)
    channels: int = 128
    memory_layers: int = 2
    best_of_three: bool = True
    most_outlines: int = -1


VERSION_1 = Architecture()
"""That of ``micro`` version 1: 3.7 million parameters."""


def micro_config(architecture: Architecture, image_size: int) -> Sam2VideoConfig:
    """Return the configuration of ``micro`` for square slices.

    Parameters
    ----------
    architecture
        How large.
    image_size
        Side of the input in pixels, a multiple of 32.

    Returns
    -------
    Sam2VideoConfig
        Dropout is off: the run is short and never sees a scene twice, so it underfits.
    """
    tokens = image_size // STRIDE
    channels = architecture.channels
    widths = [architecture.width * 2**stage for stage in range(4)]
    third = sum(architecture.blocks[:2])
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": widths[0],
        "image_size": [image_size, image_size],
        "blocks_per_stage": list(architecture.blocks),
        "embed_dim_per_stage": widths,
        "num_attention_heads_per_stage": [1, 2, 4, 8],
        # Windows of 4 tokens divide the grids of slices of 128, 256, 384 and 512 pixels without
        # padding; every block from the third stage's second on (the first pools, and may not be
        # global) sees all tokens.
        "window_size_per_stage": [8, 4, 4, 4],
        "global_attention_blocks": list(range(third + 1, sum(architecture.blocks[:3]))),
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": widths[::-1],
        "backbone_feature_sizes": [[tokens * 4] * 2, [tokens * 2] * 2, [tokens] * 2],
        "fpn_hidden_size": channels,
    }
    return Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": channels, "image_size": image_size},
        mask_decoder_config={
            "hidden_size": channels,
            "mlp_dim": 4 * channels,
            "iou_head_hidden_dim": channels,
            "dynamic_multimask_via_stability": architecture.best_of_three,
        },
        image_size=image_size,
        multimask_output_for_tracking=architecture.best_of_three,
        max_cond_frame_num=architecture.most_outlines,
        memory_attention_hidden_size=channels,
        memory_attention_num_layers=architecture.memory_layers,
        memory_attention_feed_forward_hidden_size=4 * channels,
        memory_attention_dropout=0.0,
        memory_attention_rope_dropout=0.0,
        memory_attention_rope_feat_sizes=[tokens, tokens],
        memory_encoder_hidden_size=channels,
        memory_encoder_output_channels=MEMORY_CHANNELS,
        mask_downsampler_embed_dim=channels,
        memory_fuser_embed_dim=channels,
        memory_fuser_intermediate_dim=4 * channels,
        memory_fuser_layer_scale_init_value=0.1,
    )


def new_model(architecture: Architecture, image_size: int, seed: int) -> Sam2VideoModel:
    """Build ``micro`` with weights fit for training from scratch.

    Every layer starts as PyTorch starts it; position, temporal and no-object vectors start
    small but not at zero; the prompt encoder's position matrix is the image's (SAM 2 shares
    one: with two, no click could be localised).
    """
    torch.manual_seed(seed)
    model = Sam2VideoModel(micro_config(architecture, image_size))
    for module in model.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("memory_fuser.layers.0.scale") or name.endswith(".scale"):
                parameter.fill_(0.1)
            elif parameter.ndim == 1 or name.endswith((".weight", ".bias")):
                continue
            else:  # bare vectors: position, temporal, no-memory and no-object embeddings
                parameter.normal_(std=0.1 if "temporal" in name else 0.02)
        for layer in model.memory_attention.layers:
            layer.cross_attn_image.q_proj.bias.fill_(LOCALITY)
            layer.cross_attn_image.k_proj.bias.fill_(LOCALITY)
            layer.cross_attn_image.o_proj.weight.mul_(2)  # loud, as below
        model.memory_encoder.projection.weight.mul_(3)
        # A mask prompt starts as SAM's logits would look, and loud enough to be heard over the
        # image: otherwise hundreds of steps pass before any prompt is heeded.
        model.mask_downsample.weight.fill_(20 / model.mask_downsample.weight.numel())
        model.mask_downsample.bias.fill_(-10.0)
        model.prompt_encoder.mask_embed.conv3.weight.mul_(4)
    model.prompt_encoder.shared_embedding.positional_embedding = (
        model.shared_image_embedding.positional_embedding.clone()
    )
    return model


def set_slice_size(model: Sam2VideoModel, image_size: int) -> None:
    """Make ``model`` take slices of ``image_size`` pixels (a multiple of 32) from now on.

    No weight depends on the size: position embeddings interpolate and rotary positions are
    computed from the grid.
    """
    tokens = image_size // STRIDE
    config = model.config
    config.image_size = image_size
    config.prompt_encoder_config.image_size = image_size
    config.vision_config.backbone_config.image_size = [image_size, image_size]
    config.vision_config.backbone_feature_sizes = [[tokens * s] * 2 for s in (4, 2, 1)]
    config.memory_attention_rope_feat_sizes = [tokens, tokens]
    model.image_size = image_size
    model.backbone_feature_sizes = config.vision_config.backbone_feature_sizes
    model.prompt_encoder.input_image_size = image_size
    model.prompt_encoder.image_embedding_size = (tokens, tokens)
    model.prompt_encoder.mask_input_size = (tokens * 4, tokens * 4)
    positions = model.memory_attention.precompute_positions(config)
    model.memory_attention.position_ids = positions.to(model.device)


class CachedPosition(nn.Module):
    """The neck's sine positions, computed once a shape and shared by the whole batch.

    `transformers` computes them anew for every slice of every call: a tenth of an encoding.
    """

    def __init__(self, positions: nn.Module) -> None:
        super().__init__()
        self.positions = positions
        self._made: dict[tuple[object, ...], Tensor] = {}

    def forward(self, shape: torch.Size, device: torch.device, dtype: torch.dtype) -> Tensor:
        """Return the positions (B, C, H, W) of maps of ``shape``."""
        key = (*shape[1:], device, dtype)
        if key not in self._made:
            self._made[key] = self.positions(torch.Size((1, *shape[1:])), device, dtype)
        return self._made[key].expand(shape[0], -1, -1, -1)


def _attention(module: Sam2MultiScaleAttention, hidden_states: Tensor, **_: object) -> Tensor:
    """Attend as `Sam2MultiScaleAttention` does, without the weights it computes and drops."""
    b, h, w, _channels = hidden_states.shape
    qkv = module.qkv(hidden_states).reshape(b, h * w, 3, module.num_attention_heads, -1)
    query, key, value = qkv.unbind(2)
    if module.query_stride:
        query = do_pool(query.reshape(b, h, w, -1), module.query_stride)
        h, w = query.shape[1:3]
        query = query.reshape(b, h * w, module.num_attention_heads, -1)
    out = F.scaled_dot_product_attention(
        query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), scale=module.scale
    )
    return module.proj(out.transpose(1, 2).reshape(b, h, w, -1))


def quicken(model: Sam2VideoModel) -> None:
    """Make ``model`` train faster without changing what it computes."""
    neck = model.vision_encoder.neck
    neck.position_encoding = CachedPosition(neck.position_encoding)
    for module in model.modules():
        if isinstance(module, Sam2MultiScaleAttention):
            module.forward = _attention.__get__(module)
