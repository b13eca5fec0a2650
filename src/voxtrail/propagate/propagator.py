"""The loop that carries outlines from slice to slice.

Several stacks (labels, axes) and both directions advance together, one slice each a round, so
that the model sees them as one batch. Nothing here knows about files, patients or PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import MaskPrompt, Prompt
from voxtrail.memory import MemoryPolicy, MemorySpec, Query
from voxtrail.model.base import Features, SliceModel, SlicePrediction, SpatialMemory
from voxtrail.propagate.bank import MemoryBank
from voxtrail.propagate.features import FeaturePart, FeatureSource
from voxtrail.propagate.prediction_cache import PredictionCache, prompt_key, track_key
from voxtrail.propagate.schedule import Direction, Pass, passes

#: Logit of a drawn mask's pixels, and minus that of pixels known to be outside.
DRAWN_LOGIT = 10.0
#: A pass that stops where the object is gone stops after so many empty slices in a row.
GONE_SLICES = 2
#: Segmented slices of a pass whose logits are fetched together: to fetch waits for a GPU.
FETCHED_TOGETHER = 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Stack:
    """One label's slices along one axis, ready to be propagated.

    Parameters
    ----------
    features
        The slices' features; several labels may share them.
    prompts
        What was drawn, by slice number in this stack, in the frame of its slices.
    stop_when_gone
        Whether a pass ends, beyond the last prompt ahead of it, where the object is gone.
    """

    features: FeatureSource | FeaturePart
    prompts: Mapping[int, Prompt]
    stop_when_gone: bool = False


@dataclass(frozen=True, eq=False)
class PassLogits:
    """What one pass found.

    Parameters
    ----------
    logits
        (slices, rows, columns) float32 mask logits of the whole stack; above 0 is inside.
    visited
        (slices,) bool: the slices that this pass tracked, or left out because the object was gone
        before them; logits mean nothing elsewhere.
    tracked
        Number of slices that went through the model.
    stopped_at
        The slice after which it stopped because the object was gone, or None.
    """

    logits: NDArray[np.float32]
    visited: NDArray[np.bool_]
    tracked: int
    stopped_at: int | None


@dataclass(frozen=True, eq=False)
class StackLogits:
    """What was found in one stack.

    Parameters
    ----------
    drawn
        (rows, columns) float32 logits of each prompted slice: +-10 of a drawn mask, the model's
        own for a box or points.
    passes
        One a pass, in the order of the courses.
    """

    drawn: dict[int, NDArray[np.float32]]
    passes: tuple[PassLogits, ...]


@dataclass(frozen=True, eq=False)
class _Prompted:
    """A prompted slice and what it is known by."""

    key: str
    step: SlicePrediction
    memory: SpatialMemory


@dataclass(eq=False)
class _Run:
    """A pass under way."""

    stack: int
    course: Pass
    memory_spec: MemorySpec
    bank: MemoryBank
    logits: NDArray[np.float32]
    visited: NDArray[np.bool_]
    position: int = 0
    tracked: int = 0
    unfetched: list[tuple[int, SlicePrediction]] = field(default_factory=list)
    stopped_at: int | None = None
    finished: bool = False

    @property
    def slice_index(self) -> int:
        return self.course.slices[self.position]


class Propagator:
    """Propagates outlines through stacks with a frozen model and a memory policy.

    Parameters
    ----------
    model
        The four calls of a SAM 2.
    policy
        Which memories a slice attends to.
    steps
        Slices that an earlier run segmented; those whose prompts and memories are the same are
        not segmented again. By default none are kept.

    Raises
    ------
    OptionError
        If the policy asks for more than the model's memory has room for.
    """

    def __init__(
        self, model: SliceModel, policy: MemoryPolicy, steps: PredictionCache | None = None
    ) -> None:
        policy.check(model.memory_spec)
        self._model = model
        self._policy = policy
        self._steps = (
            PredictionCache(ram_predictions=0) if steps is None else steps
        )  # an empty one is false

    def propagate(
        self,
        stacks: Sequence[Stack],
        direction: Direction = "forward",
        progress: Progress | None = None,
    ) -> list[StackLogits]:
        """Carry every stack's outlines through it, one pass or both ways.

        Parameters
        ----------
        stacks
            Each with at least one prompted slice.
        direction
            See `voxtrail.propagate.schedule.passes`.
        progress
            Called with the number of slices done and in all.

        Returns
        -------
        list of StackLogits
            One a stack, in order.
        """
        courses = [passes(list(s.prompts), len(s.features), direction) for s in stacks]
        return self.follow(stacks, courses, progress)

    def follow(
        self,
        stacks: Sequence[Stack],
        courses: Sequence[Sequence[Pass]],
        progress: Progress | None = None,
    ) -> list[StackLogits]:
        """Carry every stack's outlines along the given passes; see `propagate`."""
        runs: list[_Run] = []
        drawn: list[dict[int, NDArray[np.float32]]] = []
        for number, (stack, stack_courses) in enumerate(zip(stacks, courses, strict=True)):
            prompted = {index: self._read_prompt(stack, index) for index in sorted(stack.prompts)}
            drawn.append({i: self._drawn_logits(stack, i, one.step) for i, one in prompted.items()})
            shape = (len(stack.features), *stack.features.shape_hw)
            for course in stack_courses:
                bank = MemoryBank(self._policy)
                for index, one in prompted.items():
                    bank.note(index, one.step, one.key)
                    bank.keep(index, one.memory)
                logits = np.zeros(shape, dtype=np.float32)
                runs.append(
                    _Run(
                        number,
                        course,
                        self._model.memory_spec,
                        bank,
                        logits,
                        np.zeros(shape[0], dtype=np.bool_),
                    )
                )
        total = sum(len(run.course.slices) for run in runs)
        active = list(runs)
        while active:
            self._round(active, stacks)
            active = [run for run in active if not run.finished]
            if progress:
                left = sum(len(run.course.slices) - run.position for run in active)
                progress(total - left, total)
        return [
            StackLogits(
                drawn[number],
                tuple(
                    PassLogits(run.logits, run.visited, run.tracked, run.stopped_at)
                    for run in runs
                    if run.stack == number
                ),
            )
            for number in range(len(stacks))
        ]

    def _read_prompt(self, stack: Stack, index: int) -> _Prompted:
        features, prompt = stack.features, stack.prompts[index]
        key = prompt_key(self._model, features.key(index), prompt, features.shape_hw)
        (step,) = self._steps.steps(
            self._model,
            [key],
            lambda _: [self._model.prompt(features[index], [prompt], features.shape_hw)],
        )
        (memory,) = self._steps.memories(
            self._model, [key], lambda _: self._model.memorise([features[index]], [step])
        )
        return _Prompted(key, step, memory)

    def _drawn_logits(self, stack: Stack, index: int, step: SlicePrediction) -> NDArray[np.float32]:
        prompt = stack.prompts[index]
        if isinstance(prompt, MaskPrompt):
            return drawn_logits(prompt.mask)
        logits: NDArray[np.float32] = self._model.masks([step], stack.features.shape_hw)[0]
        return logits

    def _round(self, runs: list[_Run], stacks: Sequence[Stack]) -> None:
        """Advance every run by one slice."""
        tracked = [run for run in runs if run.slice_index not in stacks[run.stack].prompts]
        remembering: list[tuple[_Run, str, SlicePrediction]] = []
        for run, key, step in zip(tracked, *self._track(tracked, stacks), strict=True):
            run.bank.note(run.slice_index, step, key)
            run.unfetched.append((run.slice_index, step))
            run.visited[run.slice_index] = True
            run.tracked += 1
            wanted = run.position + 1 < len(run.course.slices) and run.bank.wants(
                run.slice_index, _query(run, stacks, ahead=1)
            )
            if wanted:
                remembering.append((run, key, step))
        self._memorise(remembering, stacks)
        for run in runs:
            self._advance(run, stacks)

    def _track(
        self, runs: Sequence[_Run], stacks: Sequence[Stack]
    ) -> tuple[list[str], list[SlicePrediction]]:
        """Segment the slice that each run is at; return what the steps are known by, and them."""
        recalled = [run.bank.recall(_query(run, stacks)) for run in runs]
        keys = [
            track_key(
                self._model,
                stacks[run.stack].features.key(run.slice_index),
                one.memory_keys,
                one.pointer_keys,
            )
            for run, one in zip(runs, recalled, strict=True)
        ]
        steps = self._steps.steps(
            self._model,
            keys,
            lambda places: self._model.track(
                [recalled[i].on(_features(runs[i], stacks)) for i in places]
            ),
        )
        return keys, steps

    def _memorise(
        self, segmented: Sequence[tuple[_Run, str, SlicePrediction]], stacks: Sequence[Stack]
    ) -> None:
        """Give runs the memories of the slices that they are at: key and step of each."""
        memories = self._steps.memories(
            self._model,
            [key for _, key, _ in segmented],
            lambda places: self._model.memorise(
                [_features(segmented[i][0], stacks) for i in places],
                [segmented[i][2] for i in places],
            ),
        )
        for (run, *_), memory in zip(segmented, memories, strict=True):
            run.bank.keep(run.slice_index, memory)

    def _advance(self, run: _Run, stacks: Sequence[Stack]) -> None:
        """Go on to the next slice, or end the pass."""
        stack = stacks[run.stack]
        ahead = list(run.course.slices[run.position + 1 :])
        may_stop = stack.stop_when_gone and not any(index in stack.prompts for index in ahead)
        if not ahead or may_stop or len(run.unfetched) >= FETCHED_TOGETHER:
            self._fetch(run, stack)
        if not ahead:
            run.finished = True
        elif may_stop and _gone(run, stack):
            run.finished = True
            run.stopped_at = run.slice_index
            run.logits[ahead] = -DRAWN_LOGIT
            run.visited[ahead] = True
        else:
            run.bank.forget(_query(run, stacks, ahead=1))
        run.position += 1

    def _fetch(self, run: _Run, stack: Stack) -> None:
        """Bring the logits of segmented slices from where the model runs."""
        if run.unfetched:
            indices, steps = zip(*run.unfetched, strict=True)
            run.logits[list(indices)] = self._model.masks(steps, stack.features.shape_hw)
            run.unfetched.clear()


def drawn_logits(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a drawn mask (any shape) as logits of +-10."""
    logits = np.full(mask.shape, -DRAWN_LOGIT, dtype=np.float32)
    logits[mask] = DRAWN_LOGIT
    return logits


def _gone(run: _Run, stack: Stack) -> bool:
    """Tell whether the object is on none of the last slices."""
    last = run.course.slices[: run.position + 1][-GONE_SLICES:]
    return len(last) == GONE_SLICES and not any(_on(index, run, stack) for index in last)


def _on(index: int, run: _Run, stack: Stack) -> bool:
    """Tell whether the object is on a slice that the pass has left behind."""
    drawn = stack.prompts.get(index)
    if drawn is None:
        return bool((run.logits[index] > 0).any())
    return not isinstance(drawn, MaskPrompt) or bool(drawn.mask.any())


def _features(run: _Run, stacks: Sequence[Stack]) -> Features:
    return stacks[run.stack].features[run.slice_index]


def _query(run: _Run, stacks: Sequence[Stack], ahead: int = 0) -> Query:
    return Query(
        run.course.slices[run.position + ahead],
        run.course.direction,
        len(stacks[run.stack].features),
        run.memory_spec,
    )
