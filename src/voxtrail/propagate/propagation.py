"""Passes under way: several stacks (labels, axes) and both directions advance together.

In each round every pass that is due advances by one slice, and the model sees them as one batch.
Passes over the same slices in the same direction wait for each other, so that a slice is encoded
once and then serves all of them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import Prompt
from voxtrail.memory import MemoryPolicy
from voxtrail.model.base import Features, SliceModel, SlicePrediction, SpatialMemory
from voxtrail.propagate.bank import MemoryBank
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.pass_state import PassState, Tracked
from voxtrail.propagate.prediction_cache import PredictionCache, prompt_key, track_key
from voxtrail.propagate.schedule import Pass
from voxtrail.propagate.stack import (
    DRAWN_LOGIT,
    SliceLogits,
    Stack,
    StackLogits,
    drawn_logits,
    drawn_mask,
)

#: A pass that stops where the object is gone stops after so many empty slices in a row.
GONE_SLICES = 2
#: Segmented slices of a pass whose logits are fetched together: to fetch waits for a GPU.
FETCHED_TOGETHER = 16
#: Passes that are under way at once, and slices in one batch of the model: enough to keep two
#: cores or a GPU busy, few enough that their memories and features stay small.
PASSES_TOGETHER = 16


@dataclass(frozen=True, eq=False)
class _Prompted:
    """A prompted slice and what it is known by."""

    key: str
    prediction: SlicePrediction
    memory: SpatialMemory
    logits: NDArray[np.float32]


class Propagation:
    """Advances as it is iterated over, and may be left at any point; then take `results`.

    Each item is the list of the slices that were just segmented, prompted ones first of all.

    Parameters
    ----------
    model, policy, predictions
        See `voxtrail.propagate.propagator.Propagator`.
    stacks
        Each with at least one prompted slice. They are taken up in their order.
    ways
        The passes over each stack.
    stream
        See `voxtrail.propagate.propagator.Propagator.start`.

    Attributes
    ----------
    done, total
        Slices that the passes have visited, and will visit in all.
    """

    def __init__(
        self,
        model: SliceModel,
        policy: MemoryPolicy,
        predictions: PredictionCache,
        stacks: Sequence[Stack],
        ways: Sequence[Sequence[Pass]],
        *,
        stream: bool = False,
    ) -> None:
        self._model = model
        self._policy = policy
        self._predictions = predictions
        self._stacks = stacks
        self._ways = ways
        self._together = 1 if stream else FETCHED_TOGETHER
        self._drawn: list[dict[int, NDArray[np.float32]]] = [{} for _ in stacks]
        self._passes: list[list[PassState]] = [[] for _ in stacks]
        #: Features of this round's slices, by source and number in it.
        self._features: dict[tuple[int, int], Features] = {}
        self._sources = {id(s.features.source): s.features.source for s in stacks}
        #: Visits to come of each slice of a source that is visited more than once.
        self._visits: Counter[tuple[int, int]] = Counter()
        self.done = 0
        self.total = sum(len(way.slices) for stack_ways in ways for way in stack_ways)

    def __iter__(self) -> Iterator[list[SliceLogits]]:
        waiting = deque(self._groups())
        self._expect()
        active: list[PassState] = []
        try:
            while active or waiting:
                while waiting and len(active) < PASSES_TOGETHER:
                    found, started = self._begin(waiting.popleft())
                    active += started
                    yield found
                due = _due(active)
                if due:
                    yield self._round(due)
                active = [one for one in active if not one.finished]
        finally:
            for (source_id, at), visits in self._visits.items():
                for _ in range(visits):
                    self._sources[source_id].release(at)
            self._visits.clear()
            for source in self._sources.values():
                source.end()

    def results(self) -> list[StackLogits]:
        """Return what was found, one a stack."""
        return [
            StackLogits(drawn, tuple(one.result() for one in of_stack))
            for drawn, of_stack in zip(self._drawn, self._passes, strict=True)
        ]

    def _groups(self) -> list[list[int]]:
        """Return the stacks' numbers, those that share a source together."""
        groups: dict[int, list[int]] = {}
        for number, stack in enumerate(self._stacks):
            groups.setdefault(id(stack.features.source), []).append(number)
        return list(groups.values())

    def _expect(self) -> None:
        """Let features be kept of slices that will be asked for more than once.

        By each pass that comes to them, and for what was drawn on them.
        """
        for stack, ways in zip(self._stacks, self._ways, strict=True):
            for slices in (list(stack.prompts), *(_tracked_on(stack, way.slices) for way in ways)):
                self._visits.update(self._places(stack, slices))
        self._visits = Counter({at: visits for at, visits in self._visits.items() if visits > 1})
        for (source_id, at), visits in self._visits.items():
            self._sources[source_id].expect([at] * visits)

    def _release(self, stack: Stack, slices: Iterable[int]) -> None:
        """Say that a stack's slices have been asked for, or that one pass will never do so."""
        for at in self._places(stack, slices):
            if self._visits[at] > 0:
                self._visits[at] -= 1
                stack.features.source.release(at[1])

    @staticmethod
    def _places(stack: Stack, slices: Iterable[int]) -> list[tuple[int, int]]:
        """Return a stack's slices by their source and number in it."""
        part = stack.features
        return [(id(part.source), part.start + index) for index in slices]

    def _begin(self, numbers: Sequence[int]) -> tuple[list[SliceLogits], list[PassState]]:
        """Read the prompts of some stacks and set out on their passes."""
        found: list[SliceLogits] = []
        for number in numbers:
            stack = self._stacks[number]
            prompted = self._read_prompts(stack)
            self._drawn[number] = {index: one.logits for index, one in prompted.items()}
            shape = (len(stack.features), *stack.features.shape_hw)
            for way in self._ways[number]:
                bank = MemoryBank(self._policy, self._model)
                for index, one in prompted.items():
                    bank.note(index, one.prediction, one.key)
                    bank.keep(index, one.memory)
                self._passes[number].append(
                    PassState(
                        number,
                        stack,
                        way,
                        self._model.memory_spec,
                        bank,
                        np.zeros(shape, dtype=np.float32),
                        np.zeros(shape[0], dtype=np.bool_),
                        np.full(shape[0], np.nan, dtype=np.float32),
                    )
                )
            found += [
                SliceLogits(number, index, one.logits, one.key, None)
                for index, one in prompted.items()
            ]
            self._release(stack, stack.prompts)
        self._features.clear()
        return found, [one for number in numbers for one in self._passes[number]]

    def _read_prompts(self, stack: Stack) -> dict[int, _Prompted]:
        indices = sorted(stack.prompts)
        part, shape_hw = stack.features, stack.features.shape_hw
        drawn = [stack.prompts[index] for index in indices]
        keys = [
            prompt_key(self._model, part.key(index), prompts, shape_hw)
            for index, prompts in zip(indices, drawn, strict=True)
        ]

        def features(places: list[int]) -> list[Features]:
            return self._fetch(part.source, [part.start + indices[i] for i in places])

        predictions = self._predictions.predictions(
            self._model,
            keys,
            lambda places: [
                self._model.prompt(one, drawn[i], shape_hw)
                for i, one in zip(places, features(places), strict=True)
            ],
        )
        memories = self._predictions.memories(
            self._model,
            keys,
            lambda places: self._model.memorise(features(places), [predictions[i] for i in places]),
        )
        return {
            index: _Prompted(key, prediction, memory, self._logits(prompts, prediction, shape_hw))
            for index, key, prediction, memory, prompts in zip(
                indices, keys, predictions, memories, drawn, strict=True
            )
        }

    def _logits(
        self, prompts: Sequence[Prompt], prediction: SlicePrediction, shape_hw: tuple[int, int]
    ) -> NDArray[np.float32]:
        mask = drawn_mask(prompts)
        if mask is not None:
            return drawn_logits(mask.mask)
        logits: NDArray[np.float32] = self._model.masks([prediction], shape_hw)[0]
        return logits

    def _fetch(
        self, source: FeatureSource, wanted: Sequence[int], upcoming: Sequence[int] = ()
    ) -> list[Features]:
        """Return features of a source's slices, once encoded or found for the whole round."""
        missing = [at for at in wanted if (id(source), at) not in self._features]
        for at, features in zip(missing, source.fetch(missing, upcoming), strict=True):
            self._features[id(source), at] = features
        return [self._features[id(source), at] for at in wanted]

    def _round(self, due: Sequence[PassState]) -> list[SliceLogits]:
        """Advance some passes by one slice each; return what was fetched."""
        self._features.clear()
        tracked = [one for one in due if not one.prompted]
        remembering: list[tuple[PassState, Tracked]] = []
        for one, result in zip(tracked, self._track(tracked), strict=True):
            one.bank.note(one.slice_index, result.prediction, result.key)
            one.bank.promote(one.query())
            one.unfetched.append(result)
            one.visited[one.slice_index] = True
            one.tracked += 1
            if one.ahead() and one.bank.wants(one.slice_index, one.query(1)):
                remembering.append((one, result))
        self._memorise(remembering)
        found: list[SliceLogits] = []
        for one in due:
            found += self._advance(one)
        return found

    def _track(self, due: Sequence[PassState]) -> list[Tracked]:
        """Segment the slice that each pass is at."""
        recalled = [one.bank.recall(one.query()) for one in due]
        keys = [
            track_key(
                self._model,
                one.stack.features.key(one.slice_index),
                what.memory_keys,
                what.pointer_keys,
            )
            for one, what in zip(due, recalled, strict=True)
        ]

        def track(places: list[int]) -> list[SlicePrediction]:
            features = self._features_at([due[i] for i in places])
            trackings = [recalled[i].on(one) for i, one in zip(places, features, strict=True)]
            found: list[SlicePrediction] = []
            for start in range(0, len(trackings), PASSES_TOGETHER):
                found += self._model.track(trackings[start : start + PASSES_TOGETHER])
            return found

        predictions = self._predictions.predictions(self._model, keys, track)
        return [
            Tracked(one.slice_index, prediction, key, what)
            for one, prediction, key, what in zip(due, predictions, keys, recalled, strict=True)
        ]

    def _memorise(self, segmented: Sequence[tuple[PassState, Tracked]]) -> None:
        """Give passes the memories of the slices that they are at."""
        memories = self._predictions.memories(
            self._model,
            [result.key for _, result in segmented],
            lambda places: self._model.memorise(
                self._features_at([segmented[i][0] for i in places]),
                [segmented[i][1].prediction for i in places],
            ),
        )
        for (one, _), memory in zip(segmented, memories, strict=True):
            one.bank.keep(one.slice_index, memory)

    def _features_at(self, due: Sequence[PassState]) -> list[Features]:
        """Return the features of the slice that each pass is at."""
        by_source: dict[int, list[PassState]] = {}
        for one in due:
            by_source.setdefault(id(one.source), []).append(one)
        for together in by_source.values():
            wanted = list(dict.fromkeys(one.in_source(one.slice_index) for one in together))
            upcoming = [
                one.in_source(index)
                for one in together
                for index in one.ahead()
                if index not in one.stack.prompts
            ]
            self._fetch(together[0].source, wanted, upcoming)
        return [self._features[id(one.source), one.in_source(one.slice_index)] for one in due]

    def _advance(self, one: PassState) -> list[SliceLogits]:
        """Go on to the next slice, or end the pass; return what was fetched."""
        ahead = one.ahead()
        may_stop = one.stack.stop_when_gone and not any(i in one.stack.prompts for i in ahead)
        found: list[SliceLogits] = []
        if not ahead or may_stop or len(one.unfetched) >= self._together:
            found = self._fetch_logits(one)
        self._release(one.stack, _tracked_on(one.stack, [one.slice_index]))
        self.done += 1
        if not ahead:
            one.finished = True
        elif may_stop and self._gone(one):
            one.finished = True
            one.stopped_at = one.slice_index
            one.logits[list(ahead)] = -DRAWN_LOGIT
            one.visited[list(ahead)] = True
            self._release(one.stack, _tracked_on(one.stack, ahead))
            self.done += len(ahead)
        else:
            one.bank.forget(one.query(1))
            one.position += 1
        return found

    def _fetch_logits(self, one: PassState) -> list[SliceLogits]:
        """Bring the logits of segmented slices from where the model runs."""
        fetched, one.unfetched = one.unfetched, []
        if not fetched:
            return []
        indices = [result.slice_index for result in fetched]
        one.logits[indices] = self._model.masks(
            [result.prediction for result in fetched], one.stack.features.shape_hw
        )
        one.predicted_iou[indices] = [float(item.prediction.predicted_iou) for item in fetched]
        return [
            SliceLogits(
                one.number, item.slice_index, one.logits[item.slice_index], item.key, item.recalled
            )
            for item in fetched
        ]

    def _gone(self, one: PassState) -> bool:
        """Tell whether the object is on none of the last slices."""
        last = one.way.slices[: one.position + 1][-GONE_SLICES:]
        return len(last) == GONE_SLICES and not any(self._present(i, one) for i in last)

    def _present(self, index: int, one: PassState) -> bool:
        """Tell whether the object is on a slice that the pass has left behind."""
        prompts = one.stack.prompts.get(index)
        if prompts is None:
            return bool((one.logits[index] > 0).any())
        mask = drawn_mask(prompts)
        return mask is None or bool(mask.mask.any())


def _tracked_on(stack: Stack, slices: Sequence[int]) -> list[int]:
    """Return the slices on which nothing was drawn, so that passes track them."""
    return [index for index in slices if index not in stack.prompts]


def _due(active: Sequence[PassState]) -> list[PassState]:
    """Return the passes that advance now: of those over one source in one direction the rearmost.

    So those that meet at a slice come to it in the same round.
    """
    rearmost: dict[tuple[int, int], int] = {}
    places = []
    for one in active:
        direction = one.way.direction
        lane = id(one.source), direction
        place = direction * one.in_source(one.slice_index)
        rearmost[lane] = min(place, rearmost.get(lane, place))
        places.append((lane, place))
    return [
        one for one, (lane, place) in zip(active, places, strict=True) if place == rearmost[lane]
    ]
