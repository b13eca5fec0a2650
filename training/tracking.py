"""The differentiable counterpart of voxtrail's tracking, for batches of equally prompted stacks.

Every stack of a batch has its prompts on the same slices and follows the same memory plan, so
that one slice of all stacks is one call. Calls the parts of `transformers`' `Sam2VideoModel`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from transformers import Sam2VideoModel
from transformers.models.sam2_video.modeling_sam2_video import get_1d_sine_pe

from training.losses import Prediction

MASK_SCALE, MASK_BIAS = 20.0, -10.0
"""A prompted mask as logits, +-10 (SAM 2)."""

ABSENT = -1024.0
"""Mask logit where the object is judged absent (SAM 2)."""

PIXEL_MEAN, PIXEL_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class MemoryPlan:
    """Which memories a slice recalls, and the temporal embedding each takes.

    Parameters
    ----------
    embeddings
        Temporal embedding of the most recent tracked slices, most recent first: (0, 5) is
        intelligent slicing, (0, 1, 2, 3, 4, 5) SAM 2's own, () none.
    stride
        Step between recalled slices after the most recent one.
    reach
        Prompts farther than this many slices are not recalled (the nearest one always is).
    recalled_pointers_only
        Take pointers of recalled slices only, rather than of all recent ones.
    pointer_span
        Number of pointers that distances are divided by (less one).
    """

    embeddings: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    stride: int = 1
    reach: float = float("inf")
    recalled_pointers_only: bool = False
    pointer_span: int = 16

    def prompts(self, at: int, prompted: list[int]) -> list[int]:
        """Return the prompted slices recalled at slice ``at``."""
        near = [p for p in prompted if abs(p - at) <= self.reach]
        return near or [min(prompted, key=lambda p: abs(p - at))]

    def recent(self, at: int, tracked: list[int]) -> list[tuple[int, int]]:
        """Return (slice, temporal embedding) of the tracked slices recalled at ``at``."""
        found = []
        for order, embedding in enumerate(self.embeddings):
            back = 1 if order == 0 else 1 + order * self.stride
            if at - back in tracked:
                found.append((at - back, embedding))
        return found


@dataclass(frozen=True)
class Features:
    """Features of slices: (B, C/8, 4h, 4w), (B, C/4, 2h, 2w), (B, C, h, w), and position."""

    fine: Tensor
    middle: Tensor
    coarse: Tensor
    position: Tensor

    def at(self, index: Tensor | slice) -> Features:
        """Return the features of the slices at ``index``."""
        return Features(
            self.fine[index], self.middle[index], self.coarse[index], self.position[index]
        )


@dataclass(frozen=True)
class Memory:
    """What a slice leaves behind: spatial tokens, their position, its pointer."""

    tokens: Tensor  # (h*w, B, 64)
    position: Tensor  # (h*w, B, 64)
    pointer: Tensor  # (B, C)


def to_pixels(image: Tensor) -> Tensor:
    """Return model input (B, 3, S, S) from images (B, S, S) in 0..1."""
    mean = torch.tensor(PIXEL_MEAN, device=image.device).view(1, 3, 1, 1)
    std = torch.tensor(PIXEL_STD, device=image.device).view(1, 3, 1, 1)
    return (image[:, None] - mean) / std


def encode(model: Sam2VideoModel, pixels: Tensor) -> Features:
    """Encode slices (B, 3, S, S)."""
    out = model.vision_encoder(pixels)
    fine, middle, coarse = out.fpn_hidden_states
    decoder = model.mask_decoder
    return Features(
        decoder.conv_s0(fine), decoder.conv_s1(middle), coarse, out.fpn_position_encoding[-1]
    )


@dataclass(frozen=True)
class SlicePrompt:
    """A prompt on one slice of B objects; every part may be absent.

    Parameters
    ----------
    points, labels
        (B, P, 2) in pixels (x, y) and (B, P) 1 inside, 0 outside; box corners are 2 and 3.
    mask_logits
        (B, 1, S/4, S/4) dense prompt.
    """

    points: Tensor | None = None
    labels: Tensor | None = None
    mask_logits: Tensor | None = None


def decode(
    model: Sam2VideoModel, features: Features, coarse: Tensor, prompt: SlicePrompt, multimask: bool
) -> tuple[Prediction, Tensor]:
    """Decode masks of one slice; return them and the output tokens (B, K, C)."""
    b = len(coarse)
    points, labels = prompt.points, prompt.labels
    if points is None or labels is None:  # SAM 2 sends an empty click where there is none
        points = torch.zeros(b, 1, 2, device=coarse.device)
        labels = -torch.ones(b, 1, dtype=torch.int32, device=coarse.device)
    sparse, dense = model.prompt_encoder(points[:, None], labels[:, None], None, prompt.mask_logits)
    wide = model.get_image_wide_positional_embeddings().expand(b, -1, -1, -1)
    masks, iou, tokens, score = model.mask_decoder(
        image_embeddings=coarse,
        image_positional_embeddings=wide,
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=multimask,
        high_resolution_features=[features.fine, features.middle],
    )
    return Prediction(masks[:, 0], iou[:, 0], score[:, 0, 0]), tokens[:, 0]


def chosen(prediction: Prediction, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits (B, h, w) and token (B, C) of the mask of highest predicted IoU."""
    best = prediction.iou.argmax(1)
    rows = torch.arange(len(best), device=best.device)
    return prediction.logits[rows, best], tokens[rows, best]


def pointer(model: Sam2VideoModel, token: Tensor, present: Tensor) -> Tensor:
    """Return object pointers (B, C) from output tokens and presence (B,) 0 or 1."""
    made = model.object_pointer_proj(token).to(model.no_object_pointer.dtype)  # under autocast
    return torch.lerp(
        model.no_object_pointer.expand_as(made), made, present[:, None].to(made.dtype)
    )


def memorise(
    model: Sam2VideoModel, features: Features, mask: Tensor, present: Tensor, made: Tensor
) -> Memory:
    """Write the memory of one slice.

    Parameters
    ----------
    mask
        (B, S, S) probability of the object, 0..1.
    present
        (B,) 1 where the object is in the slice.
    made
        (B, C) pointers.
    """
    config = model.config
    scaled = mask[:, None] * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc
    tokens, position = model.memory_encoder(features.coarse, scaled)
    absent = (1 - present)[:, None, None, None]
    tokens = tokens + absent * model.occlusion_spatial_embedding_parameter[..., None, None]
    return Memory(tokens.flatten(2).permute(2, 0, 1), position.flatten(2).permute(2, 0, 1), made)


def attend(
    model: Sam2VideoModel,
    features: Features,
    at: int,
    memories: dict[int, Memory],
    prompted: list[int],
    plan: MemoryPlan,
) -> Tensor:
    """Return the slice's coarse features (B, C, h, w) after it has attended to its memories."""
    temporal = model.memory_temporal_positional_encoding
    kept = plan.prompts(at, prompted)
    recalled = [(i, len(temporal) - 1) for i in kept]
    recent = plan.recent(at, [i for i in memories if i not in prompted])
    recalled += recent
    tokens = [memories[i].tokens for i, _ in recalled]
    positions = [memories[i].position + temporal[e, 0] for i, e in recalled]

    if plan.recalled_pointers_only:
        past = [i for i, _ in recent]
    else:
        past = [i for i in memories if i not in prompted and 0 < at - i < plan.pointer_span]
    pointed = [i for i in kept if i <= at] + sorted(past, reverse=True)
    b, c, h, w = features.coarse.shape
    splits = 0
    if pointed:
        distances = torch.tensor([float(at - i) for i in pointed], device=features.coarse.device)
        sine = get_1d_sine_pe(distances / (plan.pointer_span - 1), dim=c)
        place = model.temporal_positional_encoding_projection_layer(sine)  # (P, 64)
        width = place.shape[-1]
        splits = c // width
        stacked = torch.stack([memories[i].pointer for i in pointed])  # (P, B, C)
        stacked = stacked.view(len(pointed), b, splits, width).permute(0, 2, 1, 3).flatten(0, 1)
        tokens.append(stacked)
        positions.append(place[:, None].expand(-1, b, -1).repeat_interleave(splits, dim=0))
    out = model.memory_attention(
        current_vision_features=features.coarse.flatten(2).permute(2, 0, 1),
        current_vision_position_embeddings=features.position.flatten(2).permute(2, 0, 1),
        memory=torch.cat(tokens),
        memory_posision_embeddings=torch.cat(positions),
        num_object_pointer_tokens=len(pointed) * splits,
    )
    return out[0].transpose(1, 2).reshape(b, c, h, w)  # (1, B, h*w, C) -> (B, C, h, w)


def prompt_with_mask(model: Sam2VideoModel, features: Features, mask: Tensor) -> Memory:
    """Return the memory of a slice whose mask (B, S, S), 0 or 1, is given."""
    present = (mask.flatten(1).amax(1) > 0).to(mask.dtype)
    dense = model.mask_downsample(mask[:, None])
    prediction, tokens = decode(
        model, features, features.coarse, SlicePrompt(mask_logits=dense), multimask=False
    )
    token = tokens[:, 0]  # the single-mask token, as the reference does
    # The decoder's own judgement of presence and the mask's both silence the pointer (SAM 2).
    shown = present * (prediction.object_score > 0).to(mask.dtype)
    probability = torch.sigmoid(mask * MASK_SCALE + MASK_BIAS)
    return memorise(model, features, probability, present, pointer(model, token, shown))


def track(
    model: Sam2VideoModel,
    features: Features,
    at: int,
    memories: dict[int, Memory],
    prompted: list[int],
    plan: MemoryPlan,
    multimask: bool,
) -> tuple[Prediction, Memory]:
    """Find the object in slice ``at`` from its memories; return the masks and its own memory."""
    coarse = attend(model, features, at, memories, prompted, plan)
    prediction, tokens = decode(model, features, coarse, SlicePrompt(), multimask)
    return prediction, remember(model, features, prediction, tokens)


def remember(
    model: Sam2VideoModel, features: Features, prediction: Prediction, tokens: Tensor
) -> Memory:
    """Write the memory of a decoded slice; no gradient flows back through its mask."""
    logits, token = chosen(prediction, tokens)
    present = (prediction.object_score > 0).to(logits.dtype)
    side = model.image_size
    with torch.no_grad():
        logits = torch.where(present[:, None, None] > 0, logits, torch.full_like(logits, ABSENT))
        full = F.interpolate(logits[:, None], (side, side), mode="bilinear", align_corners=False)
    return memorise(model, features, full[:, 0].sigmoid(), present, pointer(model, token, present))
