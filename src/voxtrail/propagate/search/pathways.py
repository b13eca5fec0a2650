"""Several pathways through a stack, each with a memory of its own; the likeliest one counts.

Where the model is in doubt between masks of a slice, the single way takes the one that it thinks
best, and all that follows remembers that choice. Here the choice is left open: each pathway goes on
with each of the masks, and the likeliest few go on to the next slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import ClassVar

from voxtrail.errors import OptionError
from voxtrail.memory import MemoryPolicy
from voxtrail.model.base import SliceModel, SlicePrediction, Tracking
from voxtrail.propagate.bank import MemoryBank, Recalled
from voxtrail.propagate.pass_state import PassState, Tracked
from voxtrail.propagate.prediction_cache import PredictionCache, hypothesis_key, track_key
from voxtrail.propagate.propagation import PASSES_TOGETHER, Propagation
from voxtrail.propagate.schedule import Pass
from voxtrail.propagate.search.base import Search
from voxtrail.propagate.stack import SliceLogits, Stack

#: Added to a predicted IoU before its logarithm is taken.
EPSILON = 1e-5


@dataclass(frozen=True)
class Pathways(Search):
    """Keep the likeliest pathways; a pathway is as likely as the product of its predicted IoUs.

    Parameters
    ----------
    n
        How many go on from slice to slice, 1 or more; 3 in the authors' code.
    spread
        Memories of tracked slices are multiplied by a weight from 1 - spread to 1 + spread, by the
        rank of their object scores; 0.05 there, 0 to leave them as they are.

    Notes
    -----
    Source: the rule of SAM2Long (``sam2_video_predictor``), not its code. What it remembers of
    a pathway, slices with a predicted IoU above 0.3 and an object score above 0, is a policy:
    ``samurai:iou=0.3``.
    """

    name: ClassVar[str] = "pathways"
    settles_at_once: ClassVar[bool] = False
    n: int = 3
    spread: float = 0.05

    def __post_init__(self) -> None:
        if self.n < 1 or not 0 <= self.spread < 1:
            raise OptionError(
                "the search pathways cannot be set so",
                received=f"n={self.n}, spread={self.spread}",
                accepted="n of 1 or more, spread of 0 or more and below 1",
                remedy="write for example pathways:n=3,spread=0.05",
            )

    def begin(
        self,
        model: SliceModel,
        policy: MemoryPolicy,
        predictions: PredictionCache,
        stacks: Sequence[Stack],
        ways: Sequence[Sequence[Pass]],
        *,
        stream: bool = False,
    ) -> Propagation:
        """Return a propagation; see `Search.begin`. Slices come when their pass has ended."""
        return _PathwayPropagation(self, model, policy, predictions, stacks, ways)


@dataclass(frozen=True, eq=False)
class _Pathway:
    """One pathway of a pass.

    Parameters
    ----------
    bank
        What it remembers.
    likelihood
        Logarithm of the product of its predicted IoUs.
    tracked
        Its slices so far.
    scores
        Object scores of its slices, by key.
    """

    bank: MemoryBank
    likelihood: float = 0.0
    tracked: tuple[Tracked, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)

    def after(self, found: Tracked, likelihood: float) -> _Pathway:
        """Return the pathway with one more slice, in a bank of its own."""
        prediction = found.prediction
        bank = self.bank.copy()
        bank.note(found.slice_index, prediction, found.key)
        scores = {**self.scores, found.key: float(prediction.object_score)}
        return _Pathway(bank, likelihood, (*self.tracked, found), scores)


class _PathwayPropagation(Propagation):
    """A propagation whose passes each have several pathways; see `Propagation`."""

    def __init__(
        self,
        search: Pathways,
        model: SliceModel,
        policy: MemoryPolicy,
        predictions: PredictionCache,
        stacks: Sequence[Stack],
        ways: Sequence[Sequence[Pass]],
    ) -> None:
        super().__init__(model, policy, predictions, stacks, ways)
        self._search = search
        #: Of the passes under way, the likeliest pathway first.
        self._pathways: dict[int, list[_Pathway]] = {}

    def _round(self, due: Sequence[PassState]) -> list[SliceLogits]:
        """Advance some passes by one slice each, on all their pathways."""
        self._features.clear()
        at_work = [one for one in due if not one.prompted]
        for one, pathways in zip(at_work, self._extended(at_work), strict=True):
            self._pathways[id(one)] = pathways
            one.visited[one.slice_index] = True
            one.tracked += 1
        self._remember(at_work)
        found: list[SliceLogits] = []
        for one in due:
            found += self._advance(one)
        return found

    def _advance(self, one: PassState) -> list[SliceLogits]:
        """Go on to the next slice; at the pass's end settle its slices on the likeliest way."""
        leader = self._of(one)[0]
        if one.stack.stop_when_gone and not one.prompted:
            one.unfetched = [leader.tracked[-1]]  # looked at to tell whether the object is gone
        last = not one.ahead()
        if last:
            one.unfetched = list(leader.tracked)
        upcoming = None if last else one.query(1)
        found = super()._advance(one)
        if one.finished:
            if not last:
                one.unfetched = list(leader.tracked)
                found = self._fetch_logits(one)
            del self._pathways[id(one)]
            return found
        if upcoming is not None:
            for pathway in self._of(one):
                pathway.bank.forget(upcoming)
        return []

    def _of(self, one: PassState) -> list[_Pathway]:
        return self._pathways.setdefault(id(one), [_Pathway(one.bank.copy())])

    def _extended(self, due: Sequence[PassState]) -> list[list[_Pathway]]:
        """Return each pass's pathways with one more slice."""
        features = self._features_at(due)
        tries = [(place, way) for place, one in enumerate(due) for way in self._of(one)]
        recalled = [self._recall(way, due[place]) for place, way in tries]
        trackings = [
            what.on(features[place]) for (place, _), what in zip(tries, recalled, strict=True)
        ]
        grown: list[list[_Pathway]] = [[] for _ in due]
        for (place, way), what, masks in zip(
            tries, recalled, self._hypotheses(trackings), strict=True
        ):
            one = due[place]
            key = track_key(
                self._model,
                one.stack.features.key(one.slice_index),
                what.memory_keys,
                what.pointer_keys,
            )
            for number, mask in enumerate(masks):
                tracked = Tracked(
                    one.slice_index, mask, hypothesis_key(self._model, key, number), what
                )
                likelihood = way.likelihood + log(max(0.0, float(mask.predicted_iou)) + EPSILON)
                grown[place].append(way.after(tracked, likelihood))
        return [sorted(ways, key=lambda way: -way.likelihood)[: self._search.n] for ways in grown]

    def _hypotheses(self, trackings: Sequence[Tracking]) -> list[tuple[SlicePrediction, ...]]:
        found: list[tuple[SlicePrediction, ...]] = []
        for start in range(0, len(trackings), PASSES_TOGETHER):
            found += self._model.hypotheses(trackings[start : start + PASSES_TOGETHER])
        self._predictions.segmented += len(trackings)
        return found

    def _recall(self, way: _Pathway, one: PassState) -> Recalled:
        """Gather what a pathway attends to, its memories weighted."""
        what = way.bank.recall(one.query())
        spread = self._search.spread
        weights = _weights([way.scores.get(key) for key, _ in what.memory_keys], spread)
        return replace(
            what,
            memories=tuple(
                (memory if weight == 1 else self._model.weighted(memory, weight), slot)
                for (memory, slot), weight in zip(what.memories, weights, strict=True)
            ),
            memory_keys=tuple(
                (key if weight == 1 else f"{key} x {weight}", slot)
                for (key, slot), weight in zip(what.memory_keys, weights, strict=True)
            ),
        )

    def _remember(self, at_work: Sequence[PassState]) -> None:
        """Give all pathways the memories of the slices that they are at."""
        wanted = []
        for one in at_work:
            for way in self._of(one):
                way.bank.promote(one.query())
                if one.ahead() and way.bank.wants(one.slice_index, one.query(1)):
                    wanted.append((one, way))
        latest = [way.tracked[-1] for _, way in wanted]
        memories = self._predictions.memories(
            self._model,
            [found.key for found in latest],
            lambda places: self._model.memorise(
                self._features_at([wanted[i][0] for i in places]),
                [latest[i].prediction for i in places],
            ),
        )
        for (one, way), memory in zip(wanted, memories, strict=True):
            way.bank.keep(one.slice_index, memory)


def _weights(scores: Sequence[float | None], spread: float) -> list[float]:
    """Return a weight a memory, by the rank of its score; 1 where it has none (it was drawn)."""
    ranked = sorted(score for score in scores if score is not None)
    if len(ranked) < 2:
        return [1.0] * len(scores)
    step = 2 * spread / (len(ranked) - 1)
    return [1.0 if one is None else 1 - spread + step * ranked.index(one) for one in scores]
