"""The loop, watched through a model that notes what it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompt
from voxtrail.core.stopwatch import Stopwatch
from voxtrail.memory import MemorySpec, parse_policy
from voxtrail.model.base import SlicePrediction, Tracking
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.propagation import GONE_SLICES
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.schedule import passes
from voxtrail.propagate.stack import Stack

SHAPE = (6, 5)


class NotingModel:
    """Answers with the mask that is bright in the slice, and keeps a diary.

    A feature is the slice itself, a memory the mean grey of the slice it was made of.
    """

    input_size = 32
    fingerprint = "noting"
    device = "cpu"
    shortcuts = Shortcuts()
    memory_spec = MemorySpec()

    def __init__(self) -> None:
        self.stopwatch = Stopwatch()
        self.encoded: list[float] = []
        self.tracked: list[tuple[float, list[float], list[float]]] = []
        self.memorised: list[float] = []
        self.fetched: list[int] = []

    def encode(self, slices: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self.encoded += [float(one.mean()) for one in slices]
        return list(slices)

    def prompt(
        self,
        features: NDArray,
        prompts: Sequence[Prompt],
        shape_hw: tuple[int, int],
        *,
        previous: SlicePrediction | None = None,
        tracking: Tracking | None = None,
    ) -> SlicePrediction:
        return SlicePrediction(
            features - 0.5, float(features.mean()), 1.0, 10.0, prompted=True, area=0.5
        )

    def track(self, trackings: Sequence[Tracking]) -> list[SlicePrediction]:
        for item in trackings:
            self.tracked.append(
                (
                    round(float(item.features.mean()), 3),
                    [round(memory, 3) for memory, _ in item.memories],
                    [round(distance, 3) for _, distance in item.pointers],
                )
            )
        return [
            SlicePrediction(
                item.features - 0.5, float(item.features.mean()), 0.5, 5.0, prompted=False, area=0.5
            )
            for item in trackings
        ]

    def memorise(
        self, features: Sequence[NDArray], steps: Sequence[SlicePrediction]
    ) -> list[float]:
        means = [float(item.mean()) for item in features]
        self.memorised += means
        return means

    def masks(
        self, steps: Sequence[SlicePrediction], shape_hw: tuple[int, int]
    ) -> NDArray[np.float32]:
        self.fetched.append(len(steps))
        return np.stack([step.logits for step in steps])


def stack_of(means: Sequence[float]) -> NDArray[np.float32]:
    return np.stack([np.full(SHAPE, mean, dtype=np.float32) for mean in means])


def prompt(index: int) -> MaskPrompt:
    return MaskPrompt(1, Axis.AXIAL, index, np.ones(SHAPE, dtype=bool))


def run(means: Sequence[float], prompted: Sequence[int], memory: str = "recent:k=2", **kwargs):
    model = NotingModel()
    stack = Stack.of(
        FeatureSource(model, stack_of(means)),
        {index: [prompt(index)] for index in prompted},
        kwargs.pop("stop_when_gone", False),
    )
    result = Propagator(model, parse_policy("all", memory)).propagate([stack], **kwargs)[0]
    return model, result


def test_memories_are_those_of_the_slices_that_the_policy_names() -> None:
    model, _ = run([0.60, 0.61, 0.62, 0.63, 0.64], prompted=[0])
    assert model.tracked == [
        (0.61, [0.6], [0.25]),
        (0.62, [0.6, 0.61], [0.5, 0.25]),
        (0.63, [0.6, 0.62, 0.61], [0.75, 0.25, 0.5]),
        (0.64, [0.6, 0.63, 0.62], [1.0, 0.25, 0.5, 0.75]),
    ]


def test_each_slice_is_encoded_once_and_visited_once() -> None:
    model, result = run(np.linspace(0.6, 0.7, 7), prompted=[0, 3, 6])
    assert len(model.encoded) == 7
    assert result.passes[0].visited.tolist() == [False, True, True, False, True, True, False]
    assert sorted(result.drawn) == [0, 3, 6]


def test_memories_that_no_slice_can_ask_for_are_not_made() -> None:
    with_recent, _ = run([0.6] * 5, prompted=[0])
    without, _ = run([0.6] * 5, prompted=[0], memory="recent:k=0")
    # the prompt's own, and with recent memories one for every slice but the last
    assert (len(with_recent.memorised), len(without.memorised)) == (4, 1)


def test_a_middle_prompt_alone_runs_both_ways() -> None:
    _, result = run([0.6] * 5, prompted=[2])
    assert [item.visited.tolist() for item in result.passes] == [
        [False, False, False, True, True],
        [True, True, False, False, False],
    ]


def test_forward_backward_visits_slices_between_prompts_twice() -> None:
    _, result = run([0.6] * 5, prompted=[0, 4], direction="both")
    assert sum(item.visited.astype(int) for item in result.passes).tolist() == [0, 2, 2, 2, 0]


def test_a_pass_stops_where_the_object_is_gone() -> None:
    bright, dark = 0.7, 0.3
    model, result = run(
        [bright, bright, bright, dark, dark, dark, dark], prompted=[0], stop_when_gone=True
    )
    assert len(model.tracked) == 2 + GONE_SLICES
    assert result.passes[0].stopped_at == 4
    assert result.passes[0].visited[1:].all()
    assert (result.passes[0].logits[5:] < 0).all()


def test_a_pass_does_not_stop_before_a_prompt_that_lies_ahead() -> None:
    model, result = run([0.7, 0.3, 0.3, 0.3, 0.3, 0.7, 0.7], prompted=[0, 5], stop_when_gone=True)
    assert result.passes[0].stopped_at is None
    assert len(model.tracked) == 5


@pytest.mark.parametrize("together", [1, 2, 16])
def test_how_many_logits_are_fetched_together_changes_nothing(monkeypatch, together) -> None:
    monkeypatch.setattr("voxtrail.propagate.propagation.FETCHED_TOGETHER", together)
    means = [0.7, 0.3, 0.6, 0.3, 0.8, 0.3, 0.3, 0.6]
    model, result = run(means, prompted=[0])
    logits = result.passes[0].logits[1:, 0, 0]
    np.testing.assert_array_equal(logits, np.float32(means[1:]) - np.float32(0.5))
    assert max(model.fetched) == min(together, len(means) - 1)
    # Where a pass may stop, each slice is looked at before the next one is tracked.
    model, result = run(means, prompted=[0], stop_when_gone=True)
    assert (result.passes[0].stopped_at, len(model.tracked)) == (6, 6)
    assert max(model.fetched) == 1


def test_a_pass_runs_to_the_end_unless_told_to_stop() -> None:
    _, result = run([0.7, 0.3, 0.3, 0.3, 0.3], prompted=[0])
    assert result.passes[0].stopped_at is None


def test_drawn_masks_come_back_as_drawn() -> None:
    _, result = run([0.1] * 3, prompted=[0, 2])
    assert (result.drawn[0] == 10.0).all()


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    run([0.6] * 5, prompted=[0], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_labels_share_features_and_advance_together() -> None:
    model = NotingModel()
    source = FeatureSource(model, stack_of(np.linspace(0.6, 0.7, 6)))
    stacks = [
        Stack(source.part(0, 6), {0: [prompt(0)]}),
        Stack(source.part(2, 6), {0: [prompt(0)], 3: [prompt(3)]}),
    ]
    results = Propagator(model, parse_policy("all", "recent:k=2")).propagate(stacks)
    assert len(model.encoded) == 6
    assert [len(result.passes[0].visited) for result in results] == [6, 4]


def test_passes_of_a_single_slice_are_none() -> None:
    assert passes([0], 1, "forward") == ()


class ComparingModel(NotingModel):
    """Memories are alike as far as their greys are; all masks agree but on one slice."""

    def track(self, trackings: Sequence[Tracking]) -> list[SlicePrediction]:
        return [
            replace(one, predicted_iou=0.9, agreement=0.5 if mean == LOOK_ALIKE else 1.0)
            for one, mean in zip(
                super().track(trackings),
                (round(float(item.features.mean()), 2) for item in trackings),
                strict=True,
            )
        ]

    def likeness(self, memory: float, others: Sequence[float]) -> list[float]:
        return [1 - abs(memory - other) for other in others]


LOOK_ALIKE = 0.63


def attended(memory: str, means: Sequence[float]) -> dict[float, list[float]]:
    model = ComparingModel()
    stack = Stack.of(FeatureSource(model, stack_of(means)), {0: [prompt(0)]})
    Propagator(model, parse_policy("all", memory)).propagate([stack])
    return {mean: memories for mean, memories, _ in model.tracked}


def test_memories_are_compared_for_a_policy_that_asks_for_it() -> None:
    found = attended("surgsam2:k=3,drop=1", [0.9, 0.6, 0.7, 0.61, 0.8, 0.5])
    # of 0.61, 0.7 and 0.6 the last is most like 0.61; of 0.8, 0.61 and 0.7 that is 0.7
    assert found[0.8] == [0.9, 0.61, 0.7]
    assert found[0.5] == [0.9, 0.8, 0.61]


def test_a_promoted_slice_is_remembered_when_others_are_forgotten() -> None:
    means = [round(0.6 + i / 100, 2) for i in range(30)]
    found = attended("dam4sam:r=100", means)
    assert found[0.66] == [0.6, 0.63, 0.65]
    assert found[0.89] == [0.6, 0.63, 0.88]
