"""What the training minimises: SAM 2's focal, dice, IoU and object losses, and one of edges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

FOCAL_WEIGHT, DICE_WEIGHT, IOU_WEIGHT, OBJECT_WEIGHT = 20.0, 1.0, 1.0, 1.0
"""SAM 2's weights (its paper, appendix D.2)."""

FOCAL_ALPHA, FOCAL_GAMMA = 0.25, 2.0

EDGE_PIXELS = 3
"""Pixels of the goal on either side of the true edge that the loss of edges looks at."""


@dataclass(frozen=True)
class Prediction:
    """What the decoder says about one slice of B objects.

    Parameters
    ----------
    logits
        (B, K, h, w) mask logits of K candidate masks.
    iou
        (B, K) predicted IoU of each.
    object_score
        (B,) logit of the object being in the slice.
    """

    logits: Tensor
    iou: Tensor
    object_score: Tensor


def slice_loss(prediction: Prediction, target: Tensor, edge_weight: float) -> Tensor:
    """Return the loss of one slice, a scalar.

    Of several candidate masks only the best one's mask loss counts, so that they may differ;
    every candidate's IoU prediction counts. Where the object is absent only its score counts.

    Parameters
    ----------
    prediction
        What the decoder said.
    target
        (B, H, W) the true mask, 0..1. Logits are resized to it.
    edge_weight
        Weight of the loss of edges; 0 leaves SAM 2's.
    """
    logits = F.interpolate(
        prediction.logits.float(), size=target.shape[-2:], mode="bilinear", align_corners=False
    )
    truth = target[:, None].expand_as(logits)
    probability = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    mask_loss = FOCAL_WEIGHT * _focal(entropy, probability, truth)
    mask_loss = mask_loss + DICE_WEIGHT * _dice(probability, truth)  # (B, K)
    if edge_weight:
        mask_loss = mask_loss + edge_weight * _edges(entropy, target)
    present = (target.flatten(1).amax(1) > 0.5).to(logits.dtype)  # (B,)
    best = mask_loss.amin(1)
    with torch.no_grad():
        hard, true = logits > 0, truth > 0.5
        union = (hard | true).sum((2, 3)).clamp(min=1)
        iou = (hard & true).sum((2, 3)) / union
    iou_loss = (prediction.iou.float() - iou).abs().mean(1)
    count = present.sum().clamp(min=1)
    shown = ((best + IOU_WEIGHT * iou_loss) * present).sum() / count
    score = F.binary_cross_entropy_with_logits(prediction.object_score.float(), present)
    return shown + OBJECT_WEIGHT * score


def _focal(entropy: Tensor, probability: Tensor, truth: Tensor) -> Tensor:
    """Return the focal loss (B, K), averaged over pixels."""
    miss = probability + truth - 2 * probability * truth  # 1 - p(true class), for soft truth
    weight = FOCAL_ALPHA * truth + (1 - FOCAL_ALPHA) * (1 - truth)
    return (weight * miss**FOCAL_GAMMA * entropy).mean((2, 3))


def _dice(probability: Tensor, truth: Tensor) -> Tensor:
    """Return the dice loss (B, K); 1 is added to both sides so that empty masks don't divide."""
    overlap = 2 * (probability * truth).sum((2, 3)) + 1
    return 1 - overlap / (probability.sum((2, 3)) + truth.sum((2, 3)) + 1)


def _edges(entropy: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy (B, K) averaged over the pixels beside the true edge.

    The focal loss is averaged over the whole slice and hardly heeds pixels that are nearly right:
    an edge that is a pixel off costs it nothing, the more so where the section is small.
    """
    side = 2 * EDGE_PIXELS + 1
    widest = F.max_pool2d(target[:, None], side, 1, EDGE_PIXELS)
    narrowest = -F.max_pool2d(-target[:, None], side, 1, EDGE_PIXELS)
    beside = (widest > narrowest).to(entropy.dtype)  # (B, 1, H, W)
    return (entropy * beside).sum((2, 3)) / beside.sum((2, 3)).clamp(min=1)
