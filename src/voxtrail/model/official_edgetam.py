"""EdgeTAM's official ``.pt`` layout: recognised from its contents, renamed for transformers.

It is SAM 2's with another backbone, another perceptron in memory attention and a perceiver. Facts
about it come from the module names of the authors' package (PyPI edgetam-dimos 1.0.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from voxtrail.model import official

#: The key by which a state is recognised as this layout.
SIGNATURE = "spatial_perceiver.latents"
#: Parts of names that SAM 2's rules leave as they are; every rule is applied, in order.
RENAMES: tuple[tuple[str, str], ...] = (
    (r"^vision_encoder\.backbone\.body\.", "vision_encoder.backbone.timm_model."),
    (r"^(memory_attention\.layers\.\d+)\.linear1\.", r"\1.mlp.up_proj."),
    (r"^(memory_attention\.layers\.\d+)\.linear2\.", r"\1.mlp.down_proj."),
    (r"^(spatial_perceiver)\.latents$", r"\1.latents_1d"),
    (r"^(spatial_perceiver)\.norm\.", r"\1.layer_norm."),
    (r"\.attn\.norm_x\.", ".layer_norm_input."),
    (r"\.attn\.norm_latents\.", ".layer_norm_latents."),
    (r"\.self_attn\.norm\.", ".layer_norm_self."),
    (r"\.attn\.to_", ".cross_attention.to_"),
    (r"\.self_attn\.to_", ".self_attention.to_"),
    (r"\.to_q\.", ".q_proj."),
    (r"\.to_out\.", ".o_proj."),
    (r"\.self_ff\.", ".self_mlp."),
    (r"\.ff\.", ".mlp."),
    (r"mlp\.0\.", "mlp.layer_norm."),
    (r"mlp\.1\.", "mlp.up_proj."),
    (r"mlp\.3\.", "mlp.down_proj."),
)
#: Keys and values of the perceiver are one tensor there.
JOINED = ".to_kv."


def is_official(state: Mapping[str, Any]) -> bool:
    """Tell whether ``state`` is a state dict in the official layout."""
    return SIGNATURE in state


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of an official state dict under transformers' names."""
    converted: dict[str, Tensor] = {}
    for key, tensor in official.convert(state).items():
        for pattern, replacement in RENAMES:
            key = re.sub(pattern, replacement, key)
        if JOINED in key:
            keys, values = tensor.chunk(2, dim=0)
            converted[key.replace(JOINED, ".k_proj.")] = keys.contiguous()
            converted[key.replace(JOINED, ".v_proj.")] = values.contiguous()
        else:
            converted[key] = tensor
    return converted
