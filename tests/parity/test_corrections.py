"""Clicks that correct a mask do what the reference predictor does with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.parity import reference
from tests.parity.reference import Case, mask_prompt
from tests.parity.test_parity import BOUND, ROUNDING, Pair, make_pair
from voxtrail.bench import peers
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt
from voxtrail.model.base import SlicePrediction, Tracking

pytestmark = [
    # hydra, iopath and the reference warn of what they themselves use; ours stay errors
    pytest.mark.filterwarnings("ignore::DeprecationWarning:hydra.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:iopath.*"),
]

SLICES = 9
#: The slice that is corrected; in the tracked stack the fifth after the only outline.
SLICE = 5
SHAPE = (96, 80)
BOX = BoxPrompt(1, Axis.AXIAL, SLICE, (22.0, 24.0, 50.0, 56.0))
MASK = mask_prompt(SLICE)


def clicks(count: int) -> PointPrompt:
    """Return the first clicks of a row: on the disc, off it, on it again."""
    points = ((38.0, 40.0), (60.0, 70.0), (30.0, 44.0))
    return PointPrompt(1, Axis.AXIAL, SLICE, points[:count], (True, False, True)[:count])


#: What stands on the slice after each thing a person does there.
INTERACTIONS: dict[str, list[list[Prompt]]] = {
    "click after click": [[clicks(1)], [clicks(2)], [clicks(3)]],
    "box, then clicks": [[BOX], [BOX, clicks(1)], [BOX, clicks(2)]],
    "outline, then clicks": [[MASK], [MASK, clicks(1)], [MASK, clicks(3)]],
}
#: What a person may do on a slice that was tracked before.
CORRECTIONS: dict[str, list[list[Prompt]]] = {
    "one click": [[clicks(1)]],
    "clicks": [[clicks(2)], [clicks(3)]],
    "box": [[BOX], [BOX, clicks(1)]],
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair("tiny", tmp_path_factory.mktemp("tiny"))


def give_reference(predictor: Any, state: Any, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
    """Put on the slice what stands there now; return its mask logits."""
    if isinstance(prompts[-1], MaskPrompt):
        *_, logits = predictor.add_new_mask(state, SLICE, 1, prompts[-1].mask)
    else:
        given: dict[str, Any] = {}
        for one in prompts:
            if isinstance(one, BoxPrompt):
                given["box"] = np.array(one.box_xyxy, np.float32)
            elif isinstance(one, PointPrompt):
                given["points"] = np.array(one.points_xy, np.float32)
                given["labels"] = np.array(one.positive, np.int32)
        *_, logits = predictor.add_new_points_or_box(state, SLICE, 1, **given)
    return logits[0, 0].cpu().numpy()


def assert_same_mask(found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    assert reference.relative_error(found, expected) <= BOUND
    certain = np.abs(expected) > ROUNDING * np.abs(expected).max()
    assert certain.mean() > 0.999
    np.testing.assert_array_equal((found > 0)[certain], (expected > 0)[certain])


def masks_of(model: Any, prediction: SlicePrediction) -> NDArray[np.float32]:
    found: NDArray[np.float32] = model.masks([prediction], SHAPE)[0]
    return found


@pytest.mark.parametrize("steps", INTERACTIONS.values(), ids=INTERACTIONS)
def test_clicks_correct_what_was_predicted_before(tiny: Pair, steps: list[list[Prompt]]) -> None:
    stack, model = reference.slices(SLICES), tiny.model
    state = peers.state_of(tiny.predictor, stack)
    (features,) = model.encode(stack[SLICE : SLICE + 1])
    previous = None
    for prompts in steps:
        expected = give_reference(tiny.predictor, state, prompts)
        started_over = model.prompt(
            features, [p for p in prompts if p is not MASK] or [MASK], SHAPE
        )
        found = model.prompt(features, prompts, SHAPE, previous=previous)
        if prompts != [MASK]:  # which the reference returns resampled
            assert_same_mask(masks_of(model, found), expected)
        if prompts != steps[0]:
            # Otherwise parity would hold without what was predicted before.
            error = reference.relative_error(masks_of(model, started_over), expected)
            assert error >= 100 * BOUND
        previous = found


@pytest.mark.parametrize("steps", CORRECTIONS.values(), ids=CORRECTIONS)
def test_clicks_correct_a_tracked_slice(
    tiny: Pair, steps: list[list[Prompt]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, model = reference.slices(SLICES), tiny.model
    state = peers.state_of(tiny.predictor, stack)
    tiny.predictor.add_new_mask(state, 0, 1, mask_prompt(0).mask)
    for _ in tiny.predictor.propagate_in_video(state, start_frame_idx=0):
        pass

    track, trackings = model.track, list[Tracking]()
    monkeypatch.setattr(model, "track", lambda given: trackings.extend(given) or track(given))
    reference.run_voxtrail(model, stack, Case({1: (mask_prompt(0),)}))
    tracking = trackings[SLICE - 1]

    previous = track([tracking])[0]
    for prompts in steps:
        expected = give_reference(tiny.predictor, state, prompts)
        found = model.prompt(
            tracking.features, prompts, SHAPE, previous=previous, tracking=tracking
        )
        assert_same_mask(masks_of(model, found), expected)
        assert found.prompted
        for left_out in (
            {"previous": previous},
            {"tracking": tracking},
        ):
            other = model.prompt(tracking.features, prompts, SHAPE, **left_out)
            error = reference.relative_error(masks_of(model, other), expected)
            assert error >= 100 * BOUND, left_out.keys()
        previous = found
