"""How well slices beside outlines are tracked, on held-out scenes: ``python -m training.measure``.

Dice of un-prompted slices by their distance to the nearest outline, with three, five and nine
outlines, beside what copying that outline gives. Distance 0 is an outlined slice tracked from its
own memory alone: what the memory can hold of a mask, and the decoder give back. What is chosen
about `micro` is chosen by these numbers, never by a CT's.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from transformers import Sam2VideoModel

from training.architecture import quicken, set_slice_size
from training.scenes.arrange import LAYOUTS, SceneKind
from training.scenes.kinds import KINDS
from training.scenes.materials import BONES
from training.scenes.stack import StackBatch, StackSettings, make_batch, whole_stack
from training.tracking import (
    Bank,
    Features,
    SlicePrompt,
    attend,
    chosen,
    encode,
    read_outline,
    remember,
    segment,
    to_pixels,
)
from voxtrail.memory import MemoryPolicy
from voxtrail.session.config import PRESETS, Config

HELD_OUT_SEED = 987_654_321
"""No step draws it: those of steps have 48 bits."""

SLICES = 25
"""Of a stack: with nine outlines every third one is outlined."""

SHARES = (0.02, 0.08, 0.2, 1.0)
"""Upper bounds of the share of the window that a section takes: what is small is lost first."""

BUDGETS = (3, 5, 9)
FARTHEST = 6


def policies(*presets: str) -> dict[str, MemoryPolicy]:
    """Return the memory policies of the package's presets, by name."""
    return {name: Config(preset=name).policy for name in presets or tuple(PRESETS)}


@dataclass
class Scores:
    """Dice by distance to the nearest outline: sums over slices, and their numbers.

    Parameters
    ----------
    tracked, copied, count
        Sums of Dice and numbers of slices, by distance.
    own
        Dice of slices at distance 0, by the section's share of the window (`SHARES`).
    """

    tracked: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    copied: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    count: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    own: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, distance: int, tracked: Tensor, copied: Tensor) -> None:
        """Take in the Dice of slices at a distance, one value a stack."""
        far = min(distance, FARTHEST)
        self.tracked[far] += float(tracked.sum())
        self.copied[far] += float(copied.sum())
        self.count[far] += len(tracked)

    def add_own(self, tracked: Tensor, outline: Tensor) -> None:
        """Take in the Dice (B,) of outlined slices (B, S, S) tracked from their own memory."""
        self.add(0, tracked, torch.ones_like(tracked))
        for one, share in zip(tracked.tolist(), outline.mean((1, 2)).tolist(), strict=True):
            self.own[next(bound for bound in SHARES if share <= bound)].append(one)

    def join(self, other: Scores) -> None:
        """Take in what others have found."""
        for distance, count in other.count.items():
            self.count[distance] += count
            self.tracked[distance] += other.tracked[distance]
            self.copied[distance] += other.copied[distance]
        for share, values in other.own.items():
            self.own[share] += values

    def at(self, distance: int) -> tuple[float, float]:
        """Return the mean Dice at a distance, tracked and copied; NaN where there is none."""
        count = self.count.get(distance, 0)
        if not count:
            return float("nan"), float("nan")
        return self.tracked[distance] / count, self.copied[distance] / count

    def mean(self) -> tuple[float, float]:
        """Return the mean Dice of all un-prompted slices, tracked and copied."""
        far = [d for d in self.count if d > 0]
        count = sum(self.count[d] for d in far)
        sums = (sum(of[d] for d in far) for of in (self.tracked, self.copied))
        tracked, copied = (one / max(count, 1) for one in sums)
        return tracked, copied


def _encoded(model: Sam2VideoModel, batch: StackBatch) -> list[Features]:
    image = batch.image.float() / 255
    return [encode(model, to_pixels(image[:, k])) for k in range(image.shape[1])]


def _measured(
    model: Sam2VideoModel,
    batch: StackBatch,
    settings: StackSettings,
    policy: MemoryPolicy,
    features: Sequence[Features],
) -> Scores:
    scores = Scores()
    mask = batch.mask.float()
    bank = Bank(settings.slices, policy)
    for order, at in enumerate(settings.outlined):
        memory = read_outline(model, features[at], batch.outline[:, order].float())
        bank.keep(at, memory, None, prompted=True)
        alone = Bank(settings.slices, policy)
        alone.keep(at, memory, None, prompted=True)
        coarse = attend(model, features[at], at, alone)
        prediction, tokens = segment(model, features[at], coarse, SlicePrompt(), tracked=True)
        outline = batch.outline[:, order].float()
        found = _hard(chosen(prediction, tokens)[0], prediction.object_score, mask.shape[-1])
        scores.add_own(_dice(found, outline), outline)
    for at in range(settings.slices):
        if at in settings.outlined:
            continue
        coarse = attend(model, features[at], at, bank)
        prediction, tokens = segment(model, features[at], coarse, SlicePrompt(), tracked=True)
        bank.keep(at, remember(model, features[at], prediction, tokens), prediction, False)
        truth = mask[:, at]
        shown = truth.flatten(1).any(1)
        found = _hard(chosen(prediction, tokens)[0], prediction.object_score, mask.shape[-1])
        nearest = min(settings.outlined, key=lambda one: abs(one - at))
        copied = _copied(batch, settings.outlined.index(nearest), nearest, at)
        scores.add(abs(nearest - at), _dice(found, truth)[shown], _dice(copied, truth)[shown])
    return scores


def _hard(logits: Tensor, object_score: Tensor, side: int) -> Tensor:
    """Return masks (B, S, S), 0 or 1, of logits (B, S/4, S/4)."""
    full = F.interpolate(logits[:, None].float(), (side, side), mode="bilinear")[:, 0]
    return ((full > 0) & (object_score > 0)[:, None, None]).float()


def _dice(one: Tensor, other: Tensor) -> Tensor:
    total = one.sum((1, 2)) + other.sum((1, 2))
    return 2 * (one * other).sum((1, 2)) / total.clamp(min=1)


def _copied(batch: StackBatch, order: int, source: int, at: int) -> Tensor:
    """Return an outline as it lies in the window of another slice: (B, S, S)."""
    side = batch.outline.shape[-1]
    moved = torch.zeros_like(batch.outline[:, order], dtype=torch.float32)
    away = (batch.start[:, source] - batch.start[:, at]) * side / batch.shape
    for b, (rows, columns) in enumerate(away.round().long().tolist()):
        outline = batch.outline[b, order].float()
        shifted = outline.roll((rows, columns), (0, 1))
        # What left on one side must not come back on the other.
        keep = torch.zeros_like(shifted)
        keep[max(rows, 0) : side + min(rows, 0), max(columns, 0) : side + min(columns, 0)] = 1
        moved[b] = shifted * keep
    return moved


def held_out(
    budget: int, size: int, stacks: int, kind: SceneKind, largest: int = 96
) -> tuple[StackBatch, StackSettings]:
    """Return held-out stacks with so many outlines, evenly spaced, and how they were made."""
    outlined = tuple(round(i * (SLICES - 1) / (budget - 1)) for i in range(budget))
    settings = whole_stack(
        StackSettings(
            stacks=stacks,
            slices=SLICES,
            outlined=outlined,
            visited=outlined,
            size=size,
            largest=largest,
            covered=(0.6, 1.0),
            fixed_crop=0.0,
            kind=kind,
        )
    )
    return make_batch(settings, HELD_OUT_SEED), settings


def scores_of(
    model: Sam2VideoModel,
    names: Sequence[str],
    budgets: Sequence[int] = BUDGETS,
    stacks: int = 16,
    kind: SceneKind | None = None,
    at_once: int = 8,
) -> dict[tuple[str, int], Scores]:
    """Return scores by preset and number of outlines; scenes are made as the model's input asks."""
    found: dict[tuple[str, int], Scores] = {}
    size = int(model.config.image_size)
    for budget in budgets:
        batch, settings = held_out(budget, size, stacks, kind or SceneKind())
        for start in range(0, stacks, at_once):
            part = batch.part(start, start + at_once).to(model.device)
            with torch.no_grad():
                features = _encoded(model, part)
                for name, policy in policies(*names).items():
                    scores = _measured(model, part, settings, policy, features)
                    found.setdefault((name, budget), Scores()).join(scores)
    return found


def table(found: dict[tuple[str, int], Scores]) -> str:
    """Return scores as a Markdown table; copying stands in brackets."""
    distances = range(FARTHEST + 1)
    heads = [str(d) if d < FARTHEST else f"{d} and more" for d in distances]
    lines = [
        f"| memory, outlines | {' | '.join(heads)} | mean |",
        "|---|" + "---|" * (len(heads) + 1),
    ]
    for (name, budget), scores in found.items():
        pairs = [*(scores.at(d) for d in distances), scores.mean()]
        cells = ["" if t != t else f"{t:.3f} ({c:.3f})" for t, c in pairs]
        lines.append(f"| {name}, {budget} | {' | '.join(cells)} |")
    return "\n".join(lines)


def own_table(found: dict[tuple[str, int], Scores]) -> str:
    """Return the Dice of outlined slices from their own memory by the section's size."""
    heads = [f"to {bound:.0%}" for bound in SHARES]
    lines = [f"| own slice by share of the window | {' | '.join(heads)} |", "|---|" + "---|" * 4]
    for (name, budget), scores in found.items():
        means = (
            f"{sum(held) / len(held):.3f} (n={len(held)})"
            if (held := scores.own.get(bound))
            else ""
            for bound in SHARES
        )
        lines.append(f"| {name}, {budget} | {' | '.join(means)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    from training import state as states
    from training.export import BUNDLED

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=BUNDLED, help="a checkpoint")
    parser.add_argument("--state", type=Path, help="of a run, in place of a checkpoint")
    parser.add_argument("--size", type=int, help="pixels; default: the checkpoint's own")
    parser.add_argument("--stacks", type=int, default=16)
    parser.add_argument("--layout", choices=list(LAYOUTS))
    parser.add_argument("--target", choices=list(KINDS), help="kind of solid")
    parser.add_argument("--contrast", type=float, help="of a soft target, HU")
    parser.add_argument("--bone", choices=list(BONES), default="plain", help="how bone is seen")
    parser.add_argument("--presets", nargs="+", default=["is+sps", "baseline"])
    parser.add_argument("--budgets", nargs="+", type=int, default=list(BUDGETS))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.state:
        model = states.averaged(states.load(options.state, torch.device("cpu")))
    else:
        model = Sam2VideoModel.from_pretrained(options.folder).eval()
    quicken(model)
    if options.size:
        set_slice_size(model, options.size)
    kind = SceneKind(options.layout, options.contrast, options.target, options.bone)
    found = scores_of(model, options.presets, options.budgets, options.stacks, kind)
    print(f"{table(found)}\n\n{own_table(found)}")


if __name__ == "__main__":
    main()
