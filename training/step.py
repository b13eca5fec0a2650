"""The loss of one step: single slices with prompts, or stacks tracked from prompts."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from transformers import Sam2VideoModel

from training.losses import slice_loss
from training.recipe import PromptKind, StepPlan
from training.scenes import StackBatch
from training.tracking import (
    Features,
    Memory,
    MemoryPlan,
    SlicePrompt,
    chosen,
    decode,
    encode,
    prompt_with_mask,
    remember,
    to_pixels,
    track,
)

TARGET_STRIDE = 2
"""The loss is taken at half the slices' resolution; logits have a quarter of it."""


def resize(batch: StackBatch, size: int) -> tuple[Tensor, Tensor]:
    """Return images and masks (B, T, S, S), float32 0..1, as inference resizes a crop."""
    b, t = batch.image.shape[:2]
    image = batch.image.flatten(0, 1)[:, None].float() / 255
    mask = batch.mask.flatten(0, 1)[:, None].float()
    image, mask = (
        F.interpolate(x, (size, size), mode="bilinear", align_corners=False) for x in (image, mask)
    )
    return image.view(b, t, size, size), (mask > 0.5).float().view(b, t, size, size)


def step_loss(model: Sam2VideoModel, batch: StackBatch, plan: StepPlan) -> Tensor:
    """Return the loss of ``plan`` on ``batch``, a scalar."""
    image, mask = resize(batch, plan.stage.size)
    if plan.stage.kind == "slices":
        return _slices_loss(model, image, mask, plan)
    return _stacks_loss(model, _encode_stacks(model, image, plan), mask, plan)


def _encode_stacks(model: Sam2VideoModel, image: Tensor, plan: StepPlan) -> list[Features]:
    """Encode the slices of stacks (B, T, S, S), one entry a slice.

    Slices with a mask prompt get no gradient: they are encoded only to be remembered, and the
    encoder learns from those that are segmented, at a quarter less work.
    """
    given = [p for p in plan.prompted if p > 0 or plan.first == "mask"]
    sought = [i for i in range(image.shape[1]) if i not in given]
    found: dict[int, Features] = {}
    for indices, graded in ((given, False), (sought, True)):
        if not indices:  # the only prompt is a box or clicks
            continue
        with torch.set_grad_enabled(graded and torch.is_grad_enabled()):
            features = encode(model, to_pixels(image[:, indices].flatten(0, 1)))
        for order, index in enumerate(indices):
            found[index] = features.at(slice(order, None, len(indices)))
    return [found[i] for i in range(image.shape[1])]


def _stacks_loss(
    model: Sam2VideoModel, features: list[Features], mask: Tensor, plan: StepPlan
) -> Tensor:
    memories: dict[int, Memory] = {}
    losses = []
    goal = _goal(mask)
    for p in plan.prompted:
        if p == 0 and plan.first != "mask":
            prompt = draw_prompt(plan.first, mask[:, 0], plan)
            coarse = features[0].coarse + model.no_memory_embedding.view(1, -1, 1, 1)
            prediction, tokens = decode(model, features[0], coarse, prompt, plan.multimask)
            losses.append(slice_loss(prediction, goal[:, 0]))
            memories[0] = remember(model, features[0], prediction, tokens)
        else:
            memories[p] = prompt_with_mask(model, features[p], mask[:, p])
    for i in range(len(features)):
        if i in plan.prompted:
            continue
        prediction, memories[i] = track(
            model, features[i], i, memories, list(plan.prompted), plan.memory, plan.multimask
        )
        losses.append(slice_loss(prediction, goal[:, i]))
    return torch.stack(losses).mean()


def _slices_loss(model: Sam2VideoModel, image: Tensor, mask: Tensor, plan: StepPlan) -> Tensor:
    """Segment every slice from a prompt on it; mask prompts are spoiled or a neighbour's."""
    features = encode(model, to_pixels(image.flatten(0, 1)))
    goal = _goal(mask).flatten(0, 1)
    truth = mask.flatten(0, 1)
    neighbours = plan.first == "mask" and plan.extra.random() < 0.5
    given = mask.roll(1, dims=1).flatten(0, 1) if neighbours else truth
    prompt = draw_prompt(plan.first, given, plan)
    if prompt.mask_logits is not None:
        prompt = SlicePrompt(mask_logits=model.mask_downsample(prompt.mask_logits))
    coarse = features.coarse + model.no_memory_embedding.view(1, -1, 1, 1)
    prediction, _ = decode(model, features, coarse, prompt, plan.multimask)
    return slice_loss(prediction, goal)


def _goal(mask: Tensor) -> Tensor:
    return F.avg_pool2d(mask, TARGET_STRIDE)


def draw_prompt(kind: PromptKind, mask: Tensor, plan: StepPlan) -> SlicePrompt:
    """Draw a prompt of ``kind`` for masks (B, S, S); a mask prompt is a spoiled mask."""
    b, side, _ = mask.shape
    generator = torch.Generator(device=mask.device).manual_seed(plan.extra.getrandbits(48))
    if kind == "mask":
        block = plan.extra.choice((2, 4, 8))
        blocks = F.avg_pool2d(mask[:, None], block)
        noise = torch.randn(blocks.shape, generator=generator, device=mask.device)
        blocks = (blocks + 0.2 * noise > plan.extra.uniform(0.3, 0.7)).float()
        shift = [plan.extra.randint(-side // 40, side // 40) for _ in range(2)]
        spoiled = F.interpolate(blocks, (side, side), mode="nearest").roll(shift, dims=(2, 3))
        return SlicePrompt(mask_logits=spoiled)
    flat = mask.flatten(1)
    if kind == "points":
        count = plan.extra.choice((1, 1, 2, 4))
        weight = flat + 1e-6
        index = torch.multinomial(weight, 1, generator=generator)
        if count > 1:  # more clicks, inside and just anywhere
            more = torch.multinomial(flat * 4 + 0.5, count - 1, generator=generator)
            index = torch.cat([index, more], 1)
        labels = flat.gather(1, index).round().to(torch.int32)
        points = torch.stack([index % side, index // side], -1).float()
        return SlicePrompt(points=points, labels=labels)
    columns = mask.amax(1) > 0.5
    rows = mask.amax(2) > 0.5
    along = torch.arange(side, device=mask.device, dtype=torch.float32)
    edges = []
    for occupied in (columns, rows):
        low = torch.where(occupied, along, float(side)).amin(1)
        high = torch.where(occupied, along, -1.0).amax(1)
        low, high = torch.minimum(low, high), torch.maximum(low, high)
        edges.append((low, high))
    (x0, x1), (y0, y1) = edges
    corners = torch.stack([torch.stack([x0, y0], -1), torch.stack([x1, y1], -1)], 1)
    extent = (corners[:, 1] - corners[:, 0])[:, None]
    noise = torch.randn(b, 2, 2, generator=generator, device=mask.device)
    corners = (corners + noise * extent * 0.05).clamp(0, side - 1)
    labels = torch.tensor([2, 3], dtype=torch.int32, device=mask.device).expand(b, 2)
    return SlicePrompt(points=corners, labels=labels)


@torch.no_grad()
def tracked_dice(
    model: Sam2VideoModel,
    batch: StackBatch,
    size: int,
    prompted: tuple[int, ...],
    memory: MemoryPlan,
) -> float:
    """Return the mean Dice over un-prompted slices that show the target."""
    image, mask = resize(batch, size)
    b, t = image.shape[:2]
    features = encode(model, to_pixels(image.flatten(0, 1)))
    per_slice = [features.at(slice(i, None, t)) for i in range(t)]
    memories = {p: prompt_with_mask(model, per_slice[p], mask[:, p]) for p in prompted}
    scores = []
    for i in range(t):
        if i in prompted:
            continue
        prediction, memories[i] = track(
            model, per_slice[i], i, memories, list(prompted), memory, multimask=True
        )
        logits, _ = chosen(prediction, torch.zeros(b, 3, 1))
        logits = F.interpolate(logits[:, None], (size, size), mode="bilinear")[:, 0]
        hard = ((logits > 0) & (prediction.object_score > 0)[:, None, None]).float()
        truth = mask[:, i]
        total = hard.sum((1, 2)) + truth.sum((1, 2))
        dice = 2 * (hard * truth).sum((1, 2)) / total.clamp(min=1)
        scores.append(dice[truth.flatten(1).any(1)])
    return float(torch.cat(scores).mean())
