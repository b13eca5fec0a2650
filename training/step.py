"""The loss of one step: single slices with prompts, or stacks tracked from prompts."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from transformers import Sam2VideoModel

from training.losses import Prediction, slice_loss
from training.prompts import box, clicks, correction, spoiled
from training.recipe import StepPlan
from training.scenes.stack import StackBatch
from training.tracking import (
    Bank,
    Features,
    SlicePrompt,
    attend,
    chosen,
    corrected,
    decode,
    encode,
    read_outline,
    remember,
    segment,
    to_pixels,
    without_memory,
)

TARGET_STRIDE = 2
"""The loss is taken at half the slices' resolution; logits have a quarter of it."""


def step_loss(
    model: Sam2VideoModel, batch: StackBatch, plan: StepPlan, edge_weight: float
) -> Tensor:
    """Return the loss of ``plan`` on ``batch``, a scalar."""
    image, mask = batch.image.float() / 255, batch.mask.float()
    if plan.stage.kind == "slices":
        return _slices_loss(model, image, mask, plan, edge_weight)
    task = Task(model, batch, plan, edge_weight)
    task.read_prompts()
    if plan.own is not None:
        task.give_back(plan.own)
    task.follow(plan.lead)
    for at in plan.tracked:
        task.track(at)
    return torch.stack(task.losses).mean()


@dataclass
class Task:
    """Stacks under way: what is remembered of them, and the losses so far."""

    model: Sam2VideoModel
    batch: StackBatch
    plan: StepPlan
    edge_weight: float
    losses: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        visited = self.plan.stacks.visited
        self.mask = {at: self.batch.mask[:, k].float() for k, at in enumerate(visited)}
        self.features = self._encode(visited)
        self.bank = Bank(self.plan.stacks.slices, self.plan.policy)

    def _encode(self, visited: tuple[int, ...]) -> dict[int, Features]:
        """Encode the slices, by their number.

        Slices with an outline and those of the lead get no gradient: they are encoded only to be
        remembered, and the encoder learns from those that are judged, at a quarter less work.
        """
        image = self.batch.image.float() / 255
        remembered = [at for at in self.plan.outlined if not self._drawn_else(at)]
        remembered += self.plan.lead
        found: dict[int, Features] = {}
        for group, graded in ((remembered, False), (sorted({*visited} - {*remembered}), True)):
            if not group:
                continue
            slices = image[:, [visited.index(at) for at in group]].flatten(0, 1)
            with torch.set_grad_enabled(graded and torch.is_grad_enabled()):
                features = encode(self.model, to_pixels(slices))
            for order, at in enumerate(group):
                found[at] = features.at(slice(order, None, len(group)))
        return found

    def _drawn_else(self, at: int) -> bool:
        """Tell whether a prompted slice has a box or clicks in place of an outline."""
        return at == self.plan.outlined[0] and self.plan.first != "mask"

    def read_prompts(self) -> None:
        """Remember the prompted slices."""
        for order, at in enumerate(self.plan.outlined):
            if self._drawn_else(at):
                draw = box if self.plan.first == "box" else clicks
                prompt = draw(self.mask[at], self.plan.extra)
                coarse = without_memory(self.model, self.features[at])
                self._segment(at, coarse, prompt, tracked=False)
            else:
                outline = self.batch.outline[:, order].float()
                memory = read_outline(self.model, self.features[at], outline)
                self.bank.keep(at, memory, None, prompted=True)

    def give_back(self, at: int) -> None:
        """Track a slice that is outlined, and go on as if it had not been."""
        coarse = attend(self.model, self.features[at], at, self.bank)
        prediction, _ = segment(self.model, self.features[at], coarse, SlicePrompt(), tracked=True)
        self._judge(prediction, at)

    @torch.no_grad()
    def follow(self, lead: tuple[int, ...]) -> None:
        """Track slices to remember them, with whatever errors the present weights make."""
        for at in lead:
            coarse = attend(self.model, self.features[at], at, self.bank)
            prediction, tokens = segment(
                self.model, self.features[at], coarse, SlicePrompt(), tracked=True
            )
            memory = remember(self.model, self.features[at], prediction, tokens)
            self.bank.keep(at, memory, prediction, prompted=False)

    def track(self, at: int) -> None:
        """Track one slice."""
        coarse = attend(self.model, self.features[at], at, self.bank)
        self._segment(at, coarse, SlicePrompt(), tracked=True)

    def _segment(self, at: int, coarse: Tensor, prompt: SlicePrompt, tracked: bool) -> None:
        """Segment a slice, correct it with clicks where the plan says so, and remember it."""
        features = self.features[at]
        prediction, tokens = segment(self.model, features, coarse, prompt, tracked)
        self._judge(prediction, at)
        for _ in range(self.plan.clicked.get(at, 0)):
            previous = chosen(prediction, tokens)[0]
            points, labels = correction(previous, self.mask[at], self.plan.extra)
            if prompt.points is not None and prompt.labels is not None:
                points = torch.cat([prompt.points, points], 1)
                labels = torch.cat([prompt.labels, labels], 1)
            prompt = corrected(points, labels, previous)
            prediction, tokens = segment(self.model, features, coarse, prompt, tracked)
            self._judge(prediction, at)
        prompted = prompt.points is not None
        memory = remember(self.model, features, prediction, tokens, prompted)
        self.bank.keep(at, memory, prediction, prompted)

    def _judge(self, prediction: Prediction, at: int) -> None:
        self.losses.append(slice_loss(prediction, _goal(self.mask[at]), self.edge_weight))


def _slices_loss(
    model: Sam2VideoModel, image: Tensor, mask: Tensor, plan: StepPlan, edge_weight: float
) -> Tensor:
    """Segment every slice from a prompt on it; mask prompts are spoiled or a neighbour's."""
    features = encode(model, to_pixels(image.flatten(0, 1)))
    truth = mask.flatten(0, 1)
    coarse = without_memory(model, features)
    if plan.first == "mask":
        neighbours = plan.extra.random() < 0.5
        given = mask.roll(1, dims=1).flatten(0, 1) if neighbours else truth
        guess = model.mask_downsample(spoiled(given, plan.extra))
        multimask = plan.extra.random() < 0.5
        prediction, _ = decode(model, features, coarse, SlicePrompt(mask_logits=guess), multimask)
    else:
        prompt = (box if plan.first == "box" else clicks)(truth, plan.extra)
        prediction, _ = segment(model, features, coarse, prompt, tracked=False)
    return slice_loss(prediction, _goal(truth), edge_weight)


def _goal(mask: Tensor) -> Tensor:
    return F.avg_pool2d(mask, TARGET_STRIDE)
