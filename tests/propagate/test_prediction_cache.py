"""After a correction only what depends on it is segmented again, and nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.propagate.test_propagator import SHAPE, NotingModel, prompt, stack_of
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt
from voxtrail.memory import parse_policy
from voxtrail.model.base import LoadedModel
from voxtrail.model.weights import load_model
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.prediction_cache import PredictionCache, prompt_key, track_key
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.stack import Stack, StackLogits

SPS = parse_policy("near:tau=0.3", "recent:k=1")


@pytest.fixture(scope="module")
def tiny(nano: Path) -> LoadedModel:
    return load_model(str(nano), device="cpu")


def scene(slices: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return a bright disc that moves over noise, and where it is."""
    rows, columns = np.mgrid[:24, :20]
    inside = np.stack([np.hypot(rows - 8 - i / 2, columns - 9) < 5 for i in range(slices)])
    noise = np.random.default_rng(0).uniform(0.2, 0.4, inside.shape)
    return (noise + 0.5 * inside).astype(np.float32), inside


def follow(
    loaded: LoadedModel,
    drawn: Sequence[int],
    predictions: PredictionCache | None,
    direction="forward",
) -> StackLogits:
    grey, inside = scene(12)
    prompts = {i: [MaskPrompt(1, Axis.AXIAL, i, inside[i])] for i in drawn}
    stack = Stack.of(FeatureSource(loaded.model, grey), prompts)
    return Propagator(loaded.model, SPS, predictions).propagate([stack], direction)[0]


def same(found: StackLogits, expected: StackLogits) -> None:
    """Two runs in the same batches: the same to the last bit."""
    for one, other in zip(found.passes, expected.passes, strict=True):
        np.testing.assert_array_equal(one.visited, other.visited)
        np.testing.assert_array_equal(one.logits, other.logits)
        np.testing.assert_array_equal(one.predicted_iou, other.predicted_iou)
        assert (one.tracked, one.stopped_at) == (other.tracked, other.stopped_at)
    for index, logits in expected.drawn.items():
        np.testing.assert_array_equal(found.drawn[index], logits)


def alike(found: StackLogits, expected: StackLogits) -> None:
    """Two runs in other batches, whose sums a processor may round otherwise.

    Masks are the same where float32 can tell a logit from 0; logits as far as rounding goes
    through a dozen slices (the reference is held to 1e-4 of the greatest logit).
    """
    for one, other in zip(found.passes, expected.passes, strict=True):
        greatest = np.abs(other.logits).max()
        np.testing.assert_allclose(one.logits, other.logits, rtol=0, atol=1e-3 * greatest)
        told = np.abs(other.logits) > 1e-3 * greatest
        np.testing.assert_array_equal(one.logits[told] > 0, other.logits[told] > 0)
        np.testing.assert_array_equal(one.visited, other.visited)


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_a_corrected_run_is_what_it_would_be_from_nothing(tiny, direction) -> None:
    predictions = PredictionCache()
    follow(tiny, [0, 6, 11], predictions, direction)
    found = follow(tiny, [0, 6, 9, 11], predictions, direction)
    alike(found, follow(tiny, [0, 6, 9, 11], None, direction))
    assert predictions.reused > 0


def test_only_slices_that_the_correction_leads_to_are_segmented_again(tiny) -> None:
    predictions = PredictionCache()
    follow(tiny, [0, 6, 11], predictions)
    assert (predictions.segmented, predictions.reused) == (12, 0)
    follow(tiny, [0, 6, 9, 11], predictions)
    # tau x 12 slices reach from 9 back to 6: 7, 8 and 10 see it, and nothing before does.
    assert (predictions.segmented - 12, predictions.reused) == (4, 8)


def test_a_folder_serves_the_next_run_without_a_feature(nano, tmp_path) -> None:
    for shortcuts_of in range(2):
        loaded = load_model(str(nano), device="cpu")
        predictions = PredictionCache(folder=tmp_path / "cache")
        found = follow(loaded, [0, 11], predictions)
        if shortcuts_of == 0:
            first = found
    same(found, first)
    assert (predictions.segmented, predictions.reused) == (0, 12)
    assert loaded.model.stopwatch.seconds.get("image encoder", 0.0) == 0.0


def test_a_damaged_file_is_made_anew(tiny, tmp_path) -> None:
    first = follow(tiny, [0, 11], PredictionCache(folder=tmp_path))
    harmed = sorted(tmp_path.iterdir())
    for number, path in enumerate(harmed):
        whole = path.read_bytes()
        path.write_bytes([whole[:-5], b"", b"x" * 40, whole[:8] + b"{}" + whole[10:]][number % 4])
    predictions = PredictionCache(folder=tmp_path)
    same(follow(tiny, [0, 11], predictions), first)
    assert predictions.segmented == 12


def test_memory_is_bounded(tiny) -> None:
    whole, bounded = PredictionCache(), PredictionCache(ram_bytes=6_000)
    for predictions in (whole, bounded):
        follow(tiny, [0, 11], predictions)
    assert 0 < len(bounded) < len(whole) == 12


def keys_of(*prompts: Prompt) -> set[str]:
    return {prompt_key(NotingModel(), "slice", [one], SHAPE) for one in prompts}


def test_prompts_that_say_the_same_share_a_key_whatever_label_they_draw() -> None:
    mask = np.zeros(SHAPE, dtype=bool)
    other = mask.copy()
    other[1, 2] = True
    axial, sagittal = Axis.AXIAL, Axis.SAGITTAL
    assert len(keys_of(MaskPrompt(1, axial, 2, mask), MaskPrompt(2, sagittal, 5, mask))) == 1
    assert (
        len(
            keys_of(
                MaskPrompt(1, axial, 2, mask),
                MaskPrompt(1, axial, 2, other),
                BoxPrompt(1, axial, 2, (0.0, 0.0, 1.0, 1.0)),
                PointPrompt(1, axial, 2, ((0.0, 0.0), (1.0, 1.0)), (True, True)),
                PointPrompt(1, axial, 2, ((0.0, 0.0), (1.0, 1.0)), (True, False)),
            )
        )
        == 5
    )


def test_everything_that_a_slice_attends_to_is_in_its_key() -> None:
    model, other = NotingModel(), NotingModel()
    other.fingerprint = "another"
    keys = {
        track_key(model, "slice", [("a", 0), ("b", 1)], [("a", 0.5)]),
        track_key(other, "slice", [("a", 0), ("b", 1)], [("a", 0.5)]),
        track_key(model, "next", [("a", 0), ("b", 1)], [("a", 0.5)]),
        track_key(model, "slice", [("a", 0), ("b", 2)], [("a", 0.5)]),
        track_key(model, "slice", [("b", 1), ("a", 0)], [("a", 0.5)]),
        track_key(model, "slice", [("a", 0)], [("b", 1), ("a", 0.5)]),
        track_key(model, "slice", [("a", 0), ("b", 1)], [("a", 0.25)]),
    }
    assert len(keys) == 7


def test_a_loop_without_a_cache_keeps_nothing() -> None:
    model = NotingModel()
    stack = Stack.of(FeatureSource(model, stack_of([0.6] * 4)), {0: [prompt(0)]})
    propagator = Propagator(model, SPS)
    propagator.propagate([stack])
    propagator.propagate([stack])
    assert len(model.tracked) == 6
