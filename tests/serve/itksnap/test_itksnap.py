"""ITK-SNAP's requests, made as its source makes them."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import voxtrail as vt
from tests.scans import ORDERS, oblique_affine, reorder, three_blocks
from tests.serve.remote.serving import Clock, Served, serving
from tests.serve.running import Answer, ask
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, PointPrompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.model.weights import load_model
from voxtrail.session import Config

LPS = np.diag([-1.0, -1.0, 1.0])
BOUNDARY = "----voxtrail"


@pytest.fixture(scope="module")
def tiny(nano):
    return load_model(str(nano), device="cpu")


@pytest.fixture(scope="module")
def served(tiny) -> Iterator[Served]:
    with serving(tiny, max_sessions=100) as server:
        yield server


def form(voxels_xyz: np.ndarray, affine: np.ndarray, **other) -> tuple[bytes, dict[str, str]]:
    """Return the form of an image in storage order (x, y, z), as ``EncodeImage`` makes it."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    said = {
        "dimensions": list(voxels_xyz.shape),
        "spacing": spacing.tolist(),
        "origin": (LPS @ affine[:3, 3]).tolist(),
        "direction": (LPS @ affine[:3, :3] / spacing).ravel().tolist(),
        "components_per_pixel": 1,
        "component_type": "float32",
    } | other
    raw = np.asfortranarray(voxels_xyz, np.float32).tobytes(order="F")  # x fastest
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="image.gz"\r\n'
        f"Content-Type: application/gzip\r\n\r\n"
    )
    tail = (
        f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\n'
        f"Content-Type: application/json\r\n\r\n{json.dumps(said)}\r\n--{BOUNDARY}--\r\n"
    )
    body = head.encode() + gzip.compress(raw) + tail.encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def result(answer: Answer, shape) -> np.ndarray:
    """Return the mask of an answer in storage order (x, y, z)."""
    assert answer.status == 200, answer.body
    found = answer.json()
    assert found["status"] == "success"
    raw = gzip.decompress(base64.b64decode(found["result"]))
    return np.frombuffer(raw, np.int8).reshape(shape, order="F") > 0


def start(served: Served, path: str = "/v2/start_session/voxtrail") -> str:
    return ask(served.port, "GET", path).json()["session_id"]


@pytest.mark.parametrize("order", ORDERS[::7])
def test_a_lasso_gives_what_segment_gives_in_whatever_order(served, tiny, order):
    hu, labels = three_blocks()
    stored, affine = reorder(hu, oblique_affine(), order)
    scan = Volume.from_stored(stored, affine)
    truth = scan.stored.orientation().to_canonical(
        np.ascontiguousarray(reorder(labels, oblique_affine(), order)[0] == 3)
    )
    session = start(served)
    body, headers = form(stored, affine)
    assert ask(served.port, "POST", f"/v2/upload_raw/{session}", body, headers).status == 200
    axis = Axis.AXIAL
    outline = np.zeros_like(truth)
    axis.to_stack(outline)[5] = axis.to_stack(truth)[5]
    body, headers = form(scan.stored.orientation().to_stored(outline), affine)
    path = f"/process_lasso_interaction/{session}?foreground=true"
    found = result(ask(served.port, "POST", path, body, headers), stored.shape)
    prompt = MaskPrompt(1, axis, 5, axis.to_stack(truth)[5])
    expected = vt.segment(
        scan, Prompts((prompt,), scan.stored), Config(extent="object"), model=tiny
    )
    np.testing.assert_array_equal(
        found, scan.stored.orientation().to_stored(expected.labels.mask(1))
    )


def test_points_scribbles_reset_and_end_by_the_first_version(served, tiny):
    hu, _ = three_blocks()
    affine = oblique_affine()
    session = start(served, "/start_session")
    body, headers = form(hu, affine)
    path = f"/upload_raw/{session}?filename=upload.nii.gz"
    assert ask(served.port, "POST", path, body, headers).status == 200
    path = f"/process_point_interaction/{session}?x=6&y=8&z=4&foreground=true"
    found = result(ask(served.port, "GET", path), hu.shape)
    scan = Volume.from_stored(hu, affine)
    click = PointPrompt(1, Axis.AXIAL, 4, ((14 - 1 - 6.0, 12 - 1 - 8.0),), (True,))
    expected = vt.segment(scan, Prompts((click,), scan.stored), Config(extent="object"), model=tiny)
    np.testing.assert_array_equal(found, expected.labels.mask(1))

    for way in ("/reset_interactions/", "/v2/reset_interactions/"):
        assert ask(served.port, "GET", way + session).json() == {"status": "success"}
    path = f"/v2/process_point_interaction/{session}?point=6&point=8&point=4&foreground=true"
    np.testing.assert_array_equal(result(ask(served.port, "GET", path), hu.shape), found)

    stroke = np.zeros(hu.shape)
    stroke[4:9, 8:10, 4] = 1
    body, headers = form(stroke, affine)
    path = f"/process_scribble_interaction/{session}?foreground=false"
    assert result(ask(served.port, "POST", path, body, headers), hu.shape).shape == hu.shape
    assert ask(served.port, "GET", f"/v2/end_session/{session}").status == 200
    assert ask(served.port, "GET", path).status == 404
    path = f"/process_point_interaction/{session}?x=6&y=8&z=4&foreground=true"
    assert ask(served.port, "GET", path).status == 410


def test_it_says_what_it_is_and_what_is_served_elsewhere(served):
    status = ask(served.port, "GET", "/status").json()
    assert status["status"] == "ok"
    assert status["version"].startswith("voxtrail ")
    (model,) = ask(served.port, "GET", "/v2/models").json()["models"]
    assert (model["id"], model["dimensions"], model["channels"]) == ("voxtrail", 3, [1])
    assert ask(served.port, "GET", "/v2/start_session/SAM2").status == 400
    elsewhere = ask(served.port, "POST", "/v3/something")
    assert elsewhere.status == 404
    for name in ("nnInteractive 2.x", "ITK-SNAP", "/claim", "/v2/start_session"):
        assert name in elsewhere.json()["detail"]


def test_a_session_lasts_an_hour_without_a_sign_of_life(tiny):
    clock = Clock()
    with serving(tiny, clock=clock) as server:
        session = start(server)
        clock.now += 3500
        assert ask(server.port, "GET", f"/reset_interactions/{session}").status == 200
        clock.now += 3700
        assert ask(server.port, "GET", f"/reset_interactions/{session}").status == 410


@pytest.mark.parametrize(
    "other",
    [
        {"dimensions": [14, 12]},
        {"dimensions": [14, 12, 0]},
        {"dimensions": [14, 12, 10]},
        {"dimensions": [2**20, 2**20, 2**20]},
        {"dimensions": [14.5, 12, 9]},
        {"components_per_pixel": 3},
        {"component_type": "float64"},
        {"spacing": [0, 1, 1]},
        {"direction": [1, 0, 0]},
        {"direction": [1, 0, 0, 1, 0, 0, 0, 0, 1]},
        {"origin": "here"},
    ],
)
def test_an_image_that_lies_is_refused(served, other):
    session = start(served)
    body, headers = form(three_blocks()[0], oblique_affine(), **other)
    answer = ask(served.port, "POST", f"/upload_raw/{session}", body, headers)
    assert answer.status in (400, 413)
    assert answer.json()["detail"]


def test_what_is_no_form_is_refused(served):
    session = start(served)
    path = f"/upload_raw/{session}"
    body, headers = form(three_blocks()[0], oblique_affine())
    for sent, said in (
        (b"", {}),
        (b"{}", {"Content-Type": "application/json"}),
        (body, {"Content-Type": "multipart/form-data"}),
        (body[:60], headers),
        (body.replace(b'name="file"', b'name="life"'), headers),
        (body.replace(gzip.compress(b"")[:3], b"abc"), headers),
    ):
        assert ask(served.port, "POST", path, sent, said).status == 400
    path = f"/process_point_interaction/{session}?x=1&y=1&z=1"
    assert ask(served.port, "GET", path).status == 400  # there is no scan
    assert ask(served.port, "GET", f"{path.partition('?')[0]}?x=a").status == 400


def test_a_gzip_bomb_is_refused(served):
    session = start(served)
    body, headers = form(np.zeros((300, 300, 300), np.float32), oblique_affine())
    small = body.replace(b"[300, 300, 300]", b"[3, 3, 3]")
    assert len(small) < 200_000
    answer = ask(served.port, "POST", f"/upload_raw/{session}", small, headers)
    assert answer.status == 400
    assert "more bytes" in answer.json()["detail"]


def test_a_long_propagation_begins_with_spaces(tiny):
    from tests.serve.nninteractive.test_client import Slow

    slow = replace(tiny, model=Slow(tiny.model, 0.1))
    hu, _ = three_blocks()
    with serving(slow, silent_s=0.1) as server:
        session = start(server)
        body, headers = form(hu, oblique_affine())
        ask(server.port, "POST", f"/upload_raw/{session}", body, headers)
        path = f"/process_point_interaction/{session}?x=6&y=8&z=4&foreground=true"
        answer = ask(server.port, "GET", path)
        assert answer.body.startswith(b" ")
        assert result(answer, hu.shape).any()
