"""Every case brings its own test: each inner outline left out in turn and found from the others.

What is found on the slice of the outline that was left out, by the same crop, passes and shape
prior, is held against it. Slices whose memories do not lead to that outline were segmented by the
run itself, and every slice was encoded by it: with a cache only what depends on the outline is
tracked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voxtrail.core.box import Box
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import Volume
from voxtrail.metrics import dice
from voxtrail.model.base import SliceModel
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.schedule import Pass, passes
from voxtrail.propagate.stack import Stack, StackLogits, drawn_mask
from voxtrail.session.config import Config
from voxtrail.session.fusing import combined, outlines_in, without
from voxtrail.session.label_stack import LabelStack

Found = Sequence[tuple[LabelStack, StackLogits]]


@dataclass(frozen=True)
class LeftOut:
    """An outline that was left out, and how well the others foretold it.

    Parameters
    ----------
    axis
        The label of its axis.
    slice_index
        Which (RAS+ number).
    below, above
        The outlined slices next to it.
    dice
        Of what was found on its slice with it, 0 to 1.
    """

    axis: str
    slice_index: int
    below: int
    above: int
    dice: float


class LeaveOneOut:
    """Leaves out the inner outlines of labels; iterate over it, it yields as slices are done.

    Masks alone are left out, those that are not empty, and neither the first nor the last
    outlined slice of a stack.

    Parameters
    ----------
    found
        By label: its stacks, and what the run found in them.
    volume, prompts, config
        Of the run.
    model, predictions
        What segments, and what it segmented before.

    Attributes
    ----------
    results
        By label, once it has been iterated over; by rising slice on each axis.
    done, total
        Slices that have been visited, and will be in all.
    """

    def __init__(
        self,
        found: Mapping[int, Found],
        *,
        volume: Volume,
        prompts: Prompts,
        config: Config,
        model: SliceModel,
        predictions: PredictionCache,
    ) -> None:
        self._found = found
        self._volume = volume
        self._prompts = prompts
        self._config = config
        self._model = model
        self._predictions = predictions
        self.results: dict[int, list[LeftOut]] = {label: [] for label in found}
        self.done = 0
        self.total = sum(
            len(way.slices)
            for one in found.values()
            for stack, _ in one
            for index in _inner(stack.stack)
            for way in self._ways(stack.stack, index)
        )

    def __iter__(self) -> Iterator[None]:
        for label, found in self._found.items():
            for one, _ in found:
                yield from self._test(label, one, found)

    def _test(self, label: int, one: LabelStack, found: Found) -> Iterator[None]:
        """Leave out the outlines of one stack, all of them side by side."""
        left_out = _inner(one.stack)
        if not left_out:
            return
        stacks = [
            Stack(
                one.stack.features,
                {at: drawn for at, drawn in one.stack.prompts.items() if at != index},
            )
            for index in left_out
        ]
        propagator = Propagator(
            self._model, self._config.policy, self._predictions, self._config.pass_search
        )
        ways = [self._ways(one.stack, index) for index in left_out]
        under_way = propagator.along(stacks, ways)
        before = self.done
        for _ in under_way:
            self.done = before + under_way.done
            yield
        self.results[label] += [
            self._score(label, one, index, result, found)
            for index, result in zip(left_out, under_way.results(), strict=True)
        ]

    def _ways(self, stack: Stack, index: int) -> list[Pass]:
        """Return the passes over a stack, as far as the outlines next to one that is left out."""
        below, above = _neighbours(stack, index)
        ways = []
        for way in passes(list(stack.prompts), len(stack.features), self._config.direction):
            inside = tuple(
                at for at in way.slices if (at < above if way.direction > 0 else at > below)
            )
            if index in inside:
                ways.append(Pass(way.direction, inside))
        return ways

    def _score(
        self, label: int, one: LabelStack, index: int, result: StackLogits, found: Found
    ) -> LeftOut:
        below, above = (at + one.start for at in _neighbours(one.stack, index))
        shape = self._volume.grid.shape
        # The slab between the outlines next to it, as wide as the label's windows.
        slab = _hull(found).with_range(one.axis, below, above + 1)
        fused = combined(
            [(other.path, result if other is one else logits) for other, logits in found],
            self._config.fusion,
            slab,
        )
        at = index + one.start - below
        axes = [other.axis for other, _ in found]
        outlines = outlines_in(self._prompts, label, axes, slab, shape)
        with_shape = self._config.shape_prior.fuse(
            fused, without(outlines, one.axis, at), self._volume.grid.spacing_mm
        )
        predicted = one.axis.to_stack(with_shape)[at] > 0
        return LeftOut(
            one.axis.label,
            index + one.start,
            below,
            above,
            dice(predicted, outlines[one.axis][at]),
        )


def _inner(stack: Stack) -> list[int]:
    """Return the slices of the outlines that can be left out, by their number in the stack."""
    return [
        index
        for index in sorted(stack.prompts)[1:-1]
        if (mask := drawn_mask(stack.prompts[index])) is not None and mask.mask.any()
    ]


def _neighbours(stack: Stack, index: int) -> tuple[int, int]:
    """Return the prompted slices next to one."""
    below = max(at for at in stack.prompts if at < index)
    above = min(at for at in stack.prompts if at > index)
    return below, above


def _hull(found: Found) -> Box:
    box = found[0][0].path.hull()
    for one, _ in found[1:]:
        box = box.joined(one.path.hull())
    return box
