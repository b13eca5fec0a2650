"""What people draw besides outlines: boxes, clicks, masks of another slice, corrections."""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.tracking import SlicePrompt

LEFT_TOP, RIGHT_BOTTOM = 2, 3
"""Labels of a box's corners (SAM 2)."""


def _generator(rng: random.Random, device: torch.device) -> torch.Generator:
    return torch.Generator(device=device).manual_seed(rng.getrandbits(48))


def spoiled(mask: Tensor, rng: random.Random) -> Tensor:
    """Return masks (B, S, S) in rough blocks and shifted, as a first guess: (B, 1, S, S)."""
    side = mask.shape[-1]
    block = rng.choice((2, 4, 8))
    blocks = F.avg_pool2d(mask[:, None], block)
    noise = torch.randn(blocks.shape, generator=_generator(rng, mask.device), device=mask.device)
    blocks = (blocks + 0.2 * noise > rng.uniform(0.3, 0.7)).float()
    shift = [rng.randint(-side // 40, side // 40) for _ in range(2)]
    return F.interpolate(blocks, (side, side), mode="nearest").roll(shift, dims=(2, 3))


def box(mask: Tensor, rng: random.Random) -> SlicePrompt:
    """Return boxes around masks (B, S, S), drawn a little off."""
    b, side, _ = mask.shape
    along = torch.arange(side, device=mask.device, dtype=torch.float32)
    edges = []
    for occupied in (mask.amax(1) > 0.5, mask.amax(2) > 0.5):  # columns: x, rows: y
        low = torch.where(occupied, along, float(side)).amin(1)
        high = torch.where(occupied, along, -1.0).amax(1)
        edges.append((torch.minimum(low, high), torch.maximum(low, high)))
    (x0, x1), (y0, y1) = edges
    corners = torch.stack([torch.stack([x0, y0], -1), torch.stack([x1, y1], -1)], 1)
    extent = (corners[:, 1] - corners[:, 0])[:, None]
    noise = torch.randn(b, 2, 2, generator=_generator(rng, mask.device), device=mask.device)
    corners = (corners + noise * extent * 0.05).clamp(0, side - 1)
    labels = torch.tensor([LEFT_TOP, RIGHT_BOTTOM], dtype=torch.int32, device=mask.device)
    return SlicePrompt(corners, labels.expand(b, 2))


def clicks(mask: Tensor, rng: random.Random) -> SlicePrompt:
    """Return first clicks on masks (B, S, S): one inside, at times more anywhere."""
    side = mask.shape[-1]
    flat = mask.flatten(1)
    generator = _generator(rng, mask.device)
    count = rng.choice((1, 1, 2, 4))
    index = torch.multinomial(flat + 1e-6, 1, generator=generator)
    if count > 1:
        more = torch.multinomial(flat * 4 + 0.5, count - 1, generator=generator)
        index = torch.cat([index, more], 1)
    labels = flat.gather(1, index).round().to(torch.int32)
    points = torch.stack([index % side, index // side], -1).float()
    return SlicePrompt(points, labels)


def correction(logits: Tensor, mask: Tensor, rng: random.Random) -> tuple[Tensor, Tensor]:
    """Return one click where a prediction is wrong: points (B, 1, 2) and labels (B, 1).

    Parameters
    ----------
    logits
        (B, S/4, S/4) what was predicted.
    mask
        (B, S, S) the truth.
    rng
        Chooses the pixel; where nothing is wrong, any pixel.
    """
    side = mask.shape[-1]
    full = F.interpolate(logits[:, None].float(), (side, side), mode="bilinear")[:, 0]
    wrong = ((full > 0) != (mask > 0.5)).float()
    # From the middle of what is wrong, as people click, rather than from its frayed edge.
    deep = F.avg_pool2d(wrong[:, None], 9, 1, 4)[:, 0] * wrong
    weight = deep.flatten(1) ** 2 + 1e-9
    index = torch.multinomial(weight, 1, generator=_generator(rng, mask.device))
    labels = mask.flatten(1).gather(1, index).round().to(torch.int32)
    return torch.stack([index % side, index // side], -1).float(), labels
