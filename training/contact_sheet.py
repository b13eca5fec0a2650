"""Draw scenes to be looked at: ``python -m training.contact_sheet sheet.png --layout rods``.

A row is a stack, above what the model sees, below the same with the target's edge in green, or in
red and with the drawn outline in yellow where the slice is outlined.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from training.scenes.arrange import LAYOUTS, SceneKind
from training.scenes.kinds import KINDS
from training.scenes.materials import BONES
from training.scenes.stack import StackBatch, StackSettings, make_batch

GREEN, RED, YELLOW = (40, 255, 60), (255, 60, 40), (255, 230, 0)


def draw(batch: StackBatch, settings: StackSettings) -> NDArray[np.uint8]:
    """Return a picture (rows, columns, 3) of a batch."""
    rows = []
    for image, mask, outline in zip(batch.image, batch.mask, batch.outline, strict=True):
        plain, marked = [], []
        for order, index in enumerate(settings.visited):
            grey = np.repeat(image[order].numpy()[..., None], 3, axis=2)
            drawn = grey.copy()
            if index in settings.outlined:
                drawn[_edge(outline[settings.outlined.index(index)])] = YELLOW
                drawn[_edge(mask[order])] = RED
            else:
                drawn[_edge(mask[order])] = GREEN
            plain.append(grey)
            marked.append(drawn)
        rows += [np.concatenate(plain, axis=1), np.concatenate(marked, axis=1)]
    return np.concatenate(rows)


def _edge(mask: torch.Tensor) -> NDArray[np.bool_]:
    held = mask.numpy()
    edge: NDArray[np.bool_] = held & ~binary_erosion(held)
    return edge


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("--layout", choices=list(LAYOUTS))
    parser.add_argument("--target", choices=list(KINDS), help="kind of solid")
    parser.add_argument("--contrast", type=float, help="of a soft target, HU")
    parser.add_argument("--bone", choices=list(BONES), default="plain", help="how bone is seen")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stacks", type=int, default=5)
    parser.add_argument("--slices", type=int, default=17)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--careless", type=float, default=0.3)
    options = parser.parse_args(arguments)
    last = options.slices - 1
    settings = StackSettings(
        stacks=options.stacks,
        slices=options.slices,
        outlined=(0, last // 2, last),
        visited=tuple(sorted({round(i) for i in np.linspace(0, last, 10)} | {last // 2})),
        size=options.size,
        careless=options.careless,
        kind=SceneKind(options.layout, options.contrast, options.target, options.bone),
    )
    Image.fromarray(draw(make_batch(settings, options.seed), settings)).save(options.picture)


if __name__ == "__main__":
    main()
