"""The differentiable counterpart of voxtrail's tracking, for batches of equally prompted stacks.

Every stack of a batch has its outlines on the same slices and follows the same memory policy, so
that one slice of all stacks is one call. Which memories a slice attends to is asked of the
package's own policies: what was never attended to in training cannot be used. Calls the parts of
`transformers`' `Sam2VideoModel`; `tests/training` holds what it computes against `voxtrail.model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from transformers import Sam2VideoModel
from transformers.models.sam2_video.modeling_sam2_video import get_1d_sine_pe

from training.losses import Prediction
from voxtrail.memory import Entry, MemoryPolicy, Query
from voxtrail.model.conventions import MASK_LOGIT, PREVIOUS_LIMIT
from voxtrail.model.decoder import ABSENT_LOGIT
from voxtrail.model.families.base import memory_of
from voxtrail.model.spec import IMAGENET_MEAN, IMAGENET_STD
from voxtrail.model.torch_model import read_best_of_three


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


@dataclass
class Bank:
    """What a pass over stacks remembers, by slice.

    Parameters
    ----------
    slices
        Of the whole stacks, D.
    policy
        Chooses what a slice attends to. Confidences that it may ask for are means over the batch.
    """

    slices: int
    policy: MemoryPolicy
    entries: dict[int, Entry] = field(default_factory=dict)
    memories: dict[int, Memory] = field(default_factory=dict)

    def keep(self, at: int, memory: Memory, prediction: Prediction | None, prompted: bool) -> None:
        """Remember a slice; ``prediction`` is None where a mask was drawn."""
        iou, score = 1.0, MASK_LOGIT
        if prediction is not None:
            iou = float(prediction.iou.detach().amax(1).mean())
            score = float(prediction.object_score.detach().mean())
        self.entries[at] = Entry(at, prompted, iou, score)
        self.memories[at] = memory


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

    @property
    def count(self) -> int:
        """Clicks and corners."""
        return 0 if self.points is None else self.points.shape[1]


def to_pixels(image: Tensor) -> Tensor:
    """Return model input (B, 3, S, S) from images (B, S, S) in 0..1."""
    mean = torch.tensor(IMAGENET_MEAN, device=image.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=image.device).view(1, 3, 1, 1)
    return (image[:, None] - mean) / std


def encode(model: Sam2VideoModel, pixels: Tensor) -> Features:
    """Encode slices (B, 3, S, S)."""
    out = model.vision_encoder(pixels)
    fine, middle, coarse = out.fpn_hidden_states
    decoder = model.mask_decoder
    return Features(
        decoder.conv_s0(fine), decoder.conv_s1(middle), coarse, out.fpn_position_encoding[-1]
    )


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


def attend(model: Sam2VideoModel, features: Features, at: int, bank: Bank) -> Tensor:
    """Return the slice's coarse features (B, C, h, w) after it has attended to its memories."""
    spec = memory_of(model.config)
    recall = bank.policy.recall(Query(at, 1, bank.slices, spec), bank.entries)
    temporal = model.memory_temporal_positional_encoding
    tokens = [bank.memories[one.slice_index].tokens for one in recall.memories]
    positions = [
        bank.memories[one.slice_index].position + temporal[one.embedding, 0]
        for one in recall.memories
    ]
    b, c, h, w = features.coarse.shape
    splits = 0
    if recall.pointers:
        distances = torch.tensor(
            [float(distance) for _, distance in recall.pointers], device=features.coarse.device
        )
        sine = get_1d_sine_pe(distances / spec.farthest_pointer(bank.slices), dim=c)
        place = model.temporal_positional_encoding_projection_layer(sine)  # (P, 64)
        width = place.shape[-1]
        splits = c // width
        stacked = torch.stack([bank.memories[i].pointer for i, _ in recall.pointers])  # (P, B, C)
        stacked = stacked.view(-1, b, splits, width).permute(0, 2, 1, 3).flatten(0, 1)
        tokens.append(stacked)
        positions.append(place[:, None].expand(-1, b, -1).repeat_interleave(splits, dim=0))
    out = model.memory_attention(
        current_vision_features=features.coarse.flatten(2).permute(2, 0, 1),
        current_vision_position_embeddings=features.position.flatten(2).permute(2, 0, 1),
        memory=torch.cat(tokens),
        memory_posision_embeddings=torch.cat(positions),
        num_object_pointer_tokens=len(recall.pointers) * splits,
    )
    return out[0].transpose(1, 2).reshape(b, c, h, w)  # (1, B, h*w, C) -> (B, C, h, w)


def read_outline(model: Sam2VideoModel, features: Features, mask: Tensor) -> Memory:
    """Return the memory of a slice whose mask (B, S, S), 0 or 1, was drawn."""
    present = (mask.flatten(1).amax(1) > 0).to(mask.dtype)
    dense = model.mask_downsample(mask[:, None])
    prediction, tokens = decode(
        model, features, features.coarse, SlicePrompt(mask_logits=dense), multimask=False
    )
    token = tokens[:, 0]  # the single-mask token, as the reference does
    # The decoder's own judgement of presence and the mask's both silence the pointer (SAM 2).
    shown = present * (prediction.object_score > 0).to(mask.dtype)
    return memorise(model, features, coarsened(mask), present, pointer(model, token, shown))


def coarsened(mask: Tensor) -> Tensor:
    """Return a drawn mask (B, S, S) as its memory sees it: through logits of a quarter the side."""
    side = mask.shape[-1]
    logits = mask[:, None] * (2 * MASK_LOGIT) - MASK_LOGIT
    logits = F.interpolate(
        logits, (side // 4, side // 4), mode="bilinear", align_corners=False, antialias=True
    )
    full = F.interpolate(logits, (side, side), mode="bilinear", align_corners=False)
    return (full[:, 0] > 0).to(mask.dtype)


def without_memory(model: Sam2VideoModel, features: Features) -> Tensor:
    """Return a slice's coarse features (B, C, h, w) as the decoder gets them with no memory."""
    return features.coarse + model.no_memory_embedding.view(1, -1, 1, 1)


def segment(
    model: Sam2VideoModel, features: Features, coarse: Tensor, prompt: SlicePrompt, tracked: bool
) -> tuple[Prediction, Tensor]:
    """Decode one mask or three, as a run does with so many clicks."""
    multimask = read_best_of_three(model.config).applies(prompt.count, tracked=tracked)
    return decode(model, features, coarse, prompt, multimask)


def corrected(points: Tensor, labels: Tensor, previous: Tensor) -> SlicePrompt:
    """Return clicks (B, P, 2) with labels (B, P) that correct logits (B, S/4, S/4)."""
    held = previous.detach().clamp(-PREVIOUS_LIMIT, PREVIOUS_LIMIT)
    return SlicePrompt(points, labels, held[:, None])


def remember(
    model: Sam2VideoModel,
    features: Features,
    prediction: Prediction,
    tokens: Tensor,
    prompted: bool = False,
) -> Memory:
    """Write the memory of a decoded slice; no gradient flows back through its mask.

    ``prompted`` says that clicks or a box made the mask, which is then remembered as binary.
    """
    logits, token = chosen(prediction, tokens)
    present = (prediction.object_score > 0).to(token.dtype)
    side = model.image_size
    with torch.no_grad():
        logits = torch.where(present[:, None, None] > 0, logits, ABSENT_LOGIT).float()
        full = F.interpolate(logits[:, None], (side, side), mode="bilinear", align_corners=False)
        mask = (full > 0).float() if prompted else full.sigmoid()
    return memorise(model, features, mask[:, 0], present, pointer(model, token, present))
