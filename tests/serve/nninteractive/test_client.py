"""What nninteractive-client's remote session gets, from claim to release."""

from __future__ import annotations

import gc
import logging
import threading
import time
import warnings
from dataclasses import replace

import httpx
import numpy as np
import pytest
from nnInteractive.inference.remote import (
    ServerAtCapacityError,
    SessionExpiredError,
    nnInteractiveRemoteInferenceSession,
)

import voxtrail as vt
from tests.serve.nninteractive.conftest import SPACING_ZYX, only
from tests.serve.remote.serving import Clock, serving
from tests.serve.running import ask
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.serve.nninteractive.pack import DATA_TYPES
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.interactions import outline, painted
from voxtrail.session import Config


def segmented(array, prompts, tiny, **options) -> np.ndarray:
    """Return what ``vt.segment`` finds of the same prompts, (z, y, x)."""
    frame = ArrayFrame.of(array.shape, SPACING_ZYX)
    axes = tuple(dict.fromkeys(prompt.axis.label for prompt in prompts))
    config = Config(extent="object", axes=axes, **options)
    found = vt.segment(
        frame.volume(array), Prompts(tuple(prompts), frame.stored), config, model=tiny
    )
    return frame.to_array(found.labels.mask(1))


def mask_prompt(mask: np.ndarray, along: int, index: int) -> MaskPrompt:
    frame = ArrayFrame.of(mask.shape, SPACING_ZYX)
    part, bounds = only(mask, along, index)
    one = outline(painted(part > 0, [low for low, _ in bounds], frame))
    return MaskPrompt(1, one.axis, one.slice_index, one.mask)


def test_a_client_is_told_what_it_may_ask_for(client):
    assert client.ping()
    assert all(client.supported_interactions.values())
    assert client.supports_undo
    assert client.supports_initial_label
    assert client.preferred_scribble_thickness == [2, 2, 2]
    assert "Apache" in client.license or "own" in client.license
    assert client.idle_timeout_seconds == 600
    assert client.lease_status()["remaining_seconds"] > 500
    assert client.heartbeat() > 500


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, bool])
def test_lassos_give_what_segment_gives(client, array, truth, tiny, dtype):
    client.set_target_buffer(np.zeros(array.shape, dtype))
    drawn = []
    for along, index in ((0, 4), (0, 7)):
        part, bounds = only(truth, along, index)
        box = client.add_lasso_interaction(part, True, interaction_bbox=bounds)
        assert box is not None
        drawn.append(mask_prompt(truth, along, index))
        np.testing.assert_array_equal(client.target_buffer > 0, segmented(array, drawn, tiny))
    assert client.target_buffer.dtype == dtype


@pytest.mark.parametrize("along", [1, 2])
def test_a_lasso_on_other_planes_is_carried_along_them(client, array, truth, tiny, along):
    index = int(np.flatnonzero(truth.any(axis=tuple({0, 1, 2} - {along})))[1])
    whole = np.zeros_like(truth)
    at = [slice(None)] * 3
    at[along] = index
    whole[tuple(at)] = truth[tuple(at)]
    client.add_lasso_interaction(whole, True)
    prompt = mask_prompt(truth, along, index)
    np.testing.assert_array_equal(client.target_buffer > 0, segmented(array, [prompt], tiny))


def test_a_slice_is_answered_at_once_and_the_volume_when_it_is_asked_for(
    client, array, truth, tiny
):
    part, bounds = only(truth, 0, 5)
    box = client.add_lasso_interaction(part, True, False, interaction_bbox=bounds)
    assert box[0] == [5, 6]
    expected = np.zeros_like(truth)
    expected[5] = truth[5]
    np.testing.assert_array_equal(client.target_buffer, expected)
    box = client._predict()
    assert box[0][0] <= 5 < box[0][1]  # napari merges no more of an object than it was told of
    found = segmented(array, [mask_prompt(truth, 0, 5)], tiny)
    np.testing.assert_array_equal(client.target_buffer > 0, found)
    assert client._predict() is None  # nothing is queued
    client._predict(force_full_refine=True)
    np.testing.assert_array_equal(client.target_buffer > 0, found)


def test_a_box_and_a_click_are_prompts(client, array, tiny):
    client.add_bbox_interaction([[4.0, 5.0], [7.0, 11.0], [3.0, 11.0]], True, False)
    (box,) = (np.argwhere(client.target_buffer.any(axis=(1, 2))).ravel().tolist(),)
    assert box in ([4], [])
    client._predict()
    frame = ArrayFrame.of(array.shape, SPACING_ZYX)
    axis = frame.axis_of(0)
    prompt = BoxPrompt(1, axis, 4, (3.0, 7.0, 10.0, 10.0))
    np.testing.assert_array_equal(client.target_buffer > 0, segmented(array, [prompt], tiny))

    client.reset_interactions()
    client.add_point_interaction(np.array([4.2, 8.0, 6.0]), True)
    prompt = PointPrompt(1, axis, 4, ((6.0, 8.0),), (True,))
    np.testing.assert_array_equal(client.target_buffer > 0, segmented(array, [prompt], tiny))


def test_a_scribble_is_clicks_along_it(client):
    stroke = np.ones((1, 2, 6), np.uint8)
    client.add_scribble_interaction(stroke, True, interaction_bbox=[[4, 5], [8, 10], [4, 10]])
    client.add_scribble_interaction(stroke, False, interaction_bbox=[[4, 5], [2, 4], [4, 10]])
    assert client.undo()
    assert client.undo()
    assert not client.target_buffer.any()
    assert not client.undo()


def test_a_box_over_several_slices_is_a_region(client):
    client.add_bbox_interaction([[3, 7], [6, 12], [2, 12]], True)
    found = client.target_buffer.copy()
    found[3:7, 6:12, 2:12] = 0
    assert not found.any()


def test_undo_and_reset(client, truth):
    seen = [client.target_buffer.copy()]
    for along, index in ((0, 4), (0, 7), (2, 5)):
        part, bounds = only(truth, along, index)
        client.add_lasso_interaction(part, True, interaction_bbox=bounds)
        seen.append(client.target_buffer.copy())
    for before in seen[-2::-1]:
        assert client.undo()
        np.testing.assert_array_equal(client.target_buffer, before)
    assert not client.undo()
    part, bounds = only(truth, 0, 4)
    client.add_lasso_interaction(part, True, interaction_bbox=bounds)
    np.testing.assert_array_equal(client.target_buffer, seen[1])
    client.reset_interactions()
    assert not client.target_buffer.any()
    assert not client.undo()


def test_a_mask_to_start_from_is_a_state_and_no_outline(client, truth):
    start = np.zeros_like(truth)
    start[:, :3, :3] = 1
    client.add_initial_seg_interaction(start)
    part, bounds = only(truth, 0, 5)
    client.add_lasso_interaction(part, True, interaction_bbox=bounds)
    expected = start.copy()
    expected[5] = truth[5]
    np.testing.assert_array_equal(client.target_buffer, expected)
    client.undo()
    np.testing.assert_array_equal(client.target_buffer, start)


def test_several_objects_and_scans_one_after_another(client, array, truth, tiny):
    expected = segmented(array, [mask_prompt(truth, 0, 5)], tiny)
    part, bounds = only(truth, 0, 5)
    for _ in range(2):
        client.add_lasso_interaction(part, True, interaction_bbox=bounds)
        np.testing.assert_array_equal(client.target_buffer > 0, expected)
        client.reset_interactions()
    small = array[:, :9].astype(np.float32)
    client.set_image(small[None], {"spacing": SPACING_ZYX})
    client.set_target_buffer(np.zeros(small.shape, np.uint8))
    part, bounds = only(truth[:, :9], 0, 5)
    client.add_lasso_interaction(part, True, interaction_bbox=bounds)
    expected = segmented(small, [mask_prompt(truth[:, :9], 0, 5)], tiny)
    np.testing.assert_array_equal(client.target_buffer > 0, expected)


def test_what_is_wrong_is_refused_and_nothing_is_lost(client, array, truth):
    part, bounds = only(truth, 0, 5)
    client.add_lasso_interaction(part, True, interaction_bbox=bounds)
    before = client.target_buffer.copy()
    wrong = [
        lambda: client.add_point_interaction([99, 0, 0], True),
        lambda: client.add_point_interaction([float("nan"), 0, 0], True),
        lambda: client.add_bbox_interaction([[5, 5], [0, 1], [0, 1]], True),
        lambda: client.add_lasso_interaction(np.zeros_like(truth), True),
        lambda: client.add_lasso_interaction(truth, True),  # over several slices
        lambda: client.add_lasso_interaction(part, True),  # without its box
        lambda: client.set_target_buffer(np.zeros((2, 2, 2), np.uint8)),
    ]
    for ask_for in wrong:
        client.target_buffer = before.copy()
        with pytest.raises(httpx.HTTPStatusError, match="400 Bad Request") as refused:
            ask_for()
        assert refused.value.response.json()["detail"]
    client.target_buffer = before.copy()
    client.add_point_interaction([5, 0, 0], False)  # nothing is there: nothing is meant
    np.testing.assert_array_equal(client.target_buffer, before)


def test_a_scan_may_be_of_any_type_of_number(served, connect, array, truth, tiny):
    """Of those that hold Hounsfield units voxel for voxel the same."""
    one = connect(served)
    part, bounds = only(truth, 0, 5)
    expected = segmented(array, [mask_prompt(truth, 0, 5)], tiny)
    for name in DATA_TYPES:
        sent = array.astype(name)
        # as napari's scale has it of an axis that is shown reversed
        one.set_image(sent[None], {"spacing": np.array(SPACING_ZYX) * (1, -1, 1)})
        one.set_target_buffer(np.zeros(array.shape, np.uint8))
        one.add_lasso_interaction(part, True, interaction_bbox=bounds)
        if np.array_equal(sent, array):
            np.testing.assert_array_equal(one.target_buffer > 0, expected)
        np.testing.assert_array_equal(one.target_buffer[5], truth[5])


def test_a_scan_with_nan_or_several_channels_is_refused(served, connect, array):
    one = connect(served)
    broken = array[None].astype(np.float32)
    broken[0, 1, 1, 1] = np.nan
    huge = array[None].astype(np.float64)
    huge[0, 1, 1, 1] = 1e300
    for sent in (broken, huge, np.stack([array, array])):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            one.set_image(sent)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        one.add_point_interaction([1, 1, 1], True)
    assert served.service.leases.budget.taken >= 0


def not_connected(server, **options) -> BaseException:
    """Return what the client raises; where it cannot connect it leaves its socket open."""
    try:
        nnInteractiveRemoteInferenceSession(server.url, **options)
    except Exception as error:
        found = error.with_traceback(None)
    else:
        raise AssertionError("it has connected")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return found


def test_the_key(tiny, array, connect, caplog):
    secret = "a-key-that-nobody-knows"
    with serving(tiny, key=secret) as server, caplog.at_level(logging.DEBUG):
        for wrong in (None, "", "another", secret[:-1]):
            refused = not_connected(server, api_key=wrong)
            assert isinstance(refused, httpx.HTTPStatusError)
            assert refused.response.status_code == 401
        one = connect(server, api_key=secret)
        one.set_image(array[None])
        for path in ("/capabilities", "/status", "/v2/models"):
            assert ask(server.port, "GET", path).status == 401
        assert ask(server.port, "GET", "/healthz").status == 200
        assert secret not in ask(server.port, "POST", "/claim").body.decode()
    # of the client's own log, nothing else knows it
    assert not any(secret in one.getMessage() for one in caplog.records if "voxtrail" in one.name)


def test_one_more_client_is_told_to_come_later(tiny, connect):
    with serving(tiny, max_sessions=2) as server:
        first = connect(server)
        connect(server)
        assert isinstance(not_connected(server), ServerAtCapacityError)
        refused = ask(server.port, "POST", "/claim")
        assert (refused.status, refused.headers["retry-after"]) == (503, "10")
        first.close()
        connect(server)


def test_a_lease_ends_by_idleness_and_by_silence(tiny, array, connect):
    clock = Clock()
    with serving(tiny, clock=clock) as server:
        for seconds, beats in ((61, False), (601, True)):
            one = connect(server)
            one.set_image(array[None])
            taken = server.service.leases.budget.taken
            assert taken > array.nbytes
            if beats:  # signs of life put off the one end, not the other
                while seconds > 50:
                    clock.now += 50
                    seconds -= 50
                    one.heartbeat()
            clock.now += seconds
            with pytest.raises(SessionExpiredError):
                one.add_point_interaction([4, 8, 6], True)
            assert server.service.leases.budget.taken == 0


def test_leases_of_others_and_of_the_past_are_worth_nothing(served, connect):
    one = connect(served)
    token = one._lease_token
    one.close()
    for guess in (token, token[:-1], "", "0" * 43, "../../etc"):
        for method, path in (("POST", "/undo"), ("POST", "/heartbeat"), ("GET", "/lease_status")):
            answer = ask(served.port, method, path, b"{}", {"X-Lease-Token": guess})
            assert answer.status == 410
    assert ask(served.port, "POST", "/release", None, {"X-Lease-Token": token}).status == 200


def test_after_a_restart_the_session_is_over(tiny, array, truth, connect):
    with serving(tiny) as server:
        one = connect(server)
        one.set_image(array[None])
    with serving(tiny) as again:
        one._http.base_url = again.url
        with pytest.raises(SessionExpiredError):
            one.add_point_interaction([4, 8, 6], True)


class Slow:
    """A model that takes its time for each slice that is tracked."""

    def __init__(self, model, seconds: float) -> None:
        self._model, self._seconds = model, seconds

    def __getattr__(self, name):
        return getattr(self._model, name)

    def track(self, trackings):
        time.sleep(self._seconds * len(trackings))
        return self._model.track(trackings)


def slow(tiny, seconds: float):
    return replace(tiny, model=Slow(tiny.model, seconds))


def test_a_long_propagation_outlasts_the_clients_patience(tiny, array, truth, connect):
    """8 slices of 0.2 s for a client that waits 0.5 s: as 200 of 1 s for one that waits 60 s."""
    part, bounds = only(truth, 0, 7)
    with serving(slow(tiny, 0.2), silent_s=0.15) as server:
        one = connect(server, read_timeout=0.5)
        one.set_image(array[None], {"spacing": SPACING_ZYX})
        one.set_target_buffer(np.zeros(array.shape, np.uint8))
        started = time.monotonic()
        box = one.add_lasso_interaction(part, True, interaction_bbox=bounds)
        assert time.monotonic() - started > 0.5
        assert box == [[0, side] for side in array.shape]
        expected = segmented(array, [mask_prompt(truth, 0, 7)], tiny)
        np.testing.assert_array_equal(one.target_buffer > 0, expected)
        assert one.undo()
        assert not one.target_buffer.any()


@pytest.mark.full
def test_200_slices_of_a_second_outlast_60_seconds(tiny, connect):
    """With the patience of server and client as it is: more than three minutes."""
    array = np.full((202, 16, 16), -900, np.int16)
    array[:, 4:12, 4:12] = 900
    drawn = (array > 0).astype(np.uint8)
    with serving(slow(tiny, 1.0), Config(extent="prompts")) as server:
        one = connect(server)
        one.set_image(array[None])
        one.set_target_buffer(np.zeros(array.shape, np.uint8))
        part, bounds = only(drawn, 0, 0)
        one.add_lasso_interaction(part, True, False, interaction_bbox=bounds)
        part, bounds = only(drawn, 0, 201)
        started = time.monotonic()
        box = one.add_lasso_interaction(part, True, interaction_bbox=bounds)
        assert time.monotonic() - started > 200
        assert box == [[0, side] for side in array.shape]
        assert one._predict() is None  # nothing is left to do
        np.testing.assert_array_equal(one.target_buffer[[0, 201]], drawn[[0, 201]])


def test_beyond_that_the_client_gets_what_is_done_and_the_rest_next_time(
    tiny, array, truth, connect, monkeypatch
):
    """Two bytes are known beforehand in place of 49, so that patience ends in half a second."""
    from voxtrail.serve.nninteractive import prediction

    whole = prediction.beginning
    monkeypatch.setattr(prediction, "beginning", lambda *given: whole(*given)[:2])
    part, bounds = only(truth, 0, 7)
    with serving(slow(tiny, 0.2), silent_s=0.15) as server:
        one = connect(server)
        one.set_image(array[None], {"spacing": SPACING_ZYX})
        one.set_target_buffer(np.zeros(array.shape, np.uint8))
        one.add_lasso_interaction(part, True, interaction_bbox=bounds)
        expected = segmented(array, [mask_prompt(truth, 0, 7)], tiny)
        np.testing.assert_array_equal(one.target_buffer[7], truth[7])
        for _ in range(20):
            if one._predict() is None:
                break
        np.testing.assert_array_equal(one.target_buffer > 0, expected)


def test_a_client_that_goes_ends_its_work_and_hurts_nobody(tiny, array, truth, connect):
    part, bounds = only(truth, 0, 7)
    with serving(slow(tiny, 0.3), silent_s=0.2) as server:
        gone, stays = connect(server, read_timeout=0.1), connect(server)
        for one in (gone, stays):
            one.set_image(array[None], {"spacing": SPACING_ZYX})
            one.set_target_buffer(np.zeros(array.shape, np.uint8))
        with pytest.raises(httpx.ReadTimeout):
            gone.add_lasso_interaction(part, True, interaction_bbox=bounds)
        stays.add_lasso_interaction(part, True, False, interaction_bbox=bounds)
        np.testing.assert_array_equal(stays.target_buffer[7], truth[7])
        lease = server.service.leases.find(gone._lease_token, acting=False)
        for _ in range(100):
            if not lease.serial.locked():
                break
            time.sleep(0.1)
        assert not lease.serial.locked()
        assert lease.job is None


def test_two_clients_take_turns(served, connect, array, truth, tiny):
    expected = segmented(array, [mask_prompt(truth, 0, 5)], tiny)
    part, bounds = only(truth, 0, 5)
    failures = []

    def work() -> None:
        try:
            one = connect(served)
            one.set_image(array[None], {"spacing": SPACING_ZYX})
            one.set_target_buffer(np.zeros(array.shape, np.uint8))
            for _ in range(3):
                one.add_lasso_interaction(part, True, interaction_bbox=bounds)
                np.testing.assert_array_equal(one.target_buffer > 0, expected)
                one.reset_interactions()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
