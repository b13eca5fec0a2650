"""The page's requests, one concern after the other, against a real server."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from tests.serve.page import CONFIG, Page, packed, serving, unpacked
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import Prompts
from voxtrail.errors import WeightsError
from voxtrail.session import segment


def wire_slice(volume: np.ndarray, axis: str, index: int) -> np.ndarray:
    """Cut a slice as the page sees it: (upper axis, lower axis)."""
    return {
        "axial": lambda: volume[:, :, index].T,
        "coronal": lambda: volume[:, index, :].T,
        "sagittal": lambda: volume[index, :, :].T,
    }[axis]()


@pytest.fixture
def drawn(page, blocks) -> Page:
    """The page with three outlined axial slices."""
    for index in (1, 4, 7):
        page.draw(1, "axial", index, wire_slice(blocks == 1, "axial", index))
    return page


def test_the_state_before_a_scan_is_open(folder, tiny):
    with serving(folder, tiny) as page:
        page.workspace.wait_for_model()
        state = page.get("/api/state")
        assert state["scan"] is None
        assert "not a medical device" in state["notice"].lower()
        assert state["model"]["state"] in ("loading", "ready")
        told = page.refused(409, "GET", "/api/scan")
        assert told["what"] == "no scan is open"


def test_the_scan_comes_as_it_is(page, scan):
    state = page.get("/api/state")
    assert state["scan"]["shape"] == [14, 12, 9]
    np.testing.assert_allclose(state["scan"]["affine"], scan.grid.affine)
    assert state["scan"]["name"] == "ct.nii.gz"
    assert state["session_file"].endswith("ct.voxtrail.json")
    answer = page.ask("GET", "/api/scan")
    assert answer.headers["x-shape"] == "14,12,9"
    voxels = np.frombuffer(answer.body, "<i2").reshape((14, 12, 9), order="F")
    np.testing.assert_array_equal(voxels, scan.voxels)
    for axis in Axis:
        stored = state["scan"]["stored"][axis.label]
        assert stored["count"] == scan.grid.shape[axis.value]
        first = scan.stored.stored_index(axis.value, 0)[1]
        assert stored["flipped"] == (first != 0)


@pytest.mark.parametrize("axis", ["axial", "coronal", "sagittal"])
def test_a_mask_comes_back_as_it_was_drawn_and_lies_where_it_was_drawn(page, blocks, axis):
    drawn = wire_slice(blocks == 3, axis, 8).copy()
    drawn[0, 1] = True  # nothing symmetric
    page.draw(1, axis, 8, drawn)
    body = page.ask("GET", f"/api/outline/1/{axis}/8").body
    np.testing.assert_array_equal(unpacked(body, drawn.shape), drawn)
    shown = page.labels()
    np.testing.assert_array_equal(wire_slice(shown, axis, 8), drawn)
    assert int(shown.sum()) == int(drawn.sum())
    cut = np.frombuffer(page.ask("GET", f"/api/labels/{axis}/8").body, np.uint8)
    np.testing.assert_array_equal(cut.reshape(drawn.shape), drawn)
    prompt = page.workspace.scan.session.prompts.prompts[0]
    assert (prompt.axis.label, prompt.slice_index) == (axis, 8)
    np.testing.assert_array_equal(prompt.mask, drawn[::-1, ::-1])


def test_what_was_drawn_is_on_disk_before_it_is_confirmed(page, folder, blocks, scan):
    mask = wire_slice(blocks == 1, "axial", 4)
    parts = page.draw(1, "axial", 4, mask)
    assert parts["outlines"] == [{"label": 1, "axis": "axial", "slice": 4, "kind": "mask"}]
    saved = json.loads((folder / "ct.voxtrail.json").read_text())
    assert saved["states"][saved["at"]]["labels"] == {"1": "femur"}
    assert len(saved["prompts"]) == 1


def test_undo_and_redo_say_what_changed(page, blocks):
    first = wire_slice(blocks == 1, "axial", 4)
    page.draw(1, "axial", 4, first)
    page.draw(1, "axial", 4, np.zeros_like(first))
    page.send("DELETE", "/api/outline/1/axial/4")
    assert page.ask("GET", "/api/outline/1/axial/4").status == 204
    here = [{"label": 1, "axis": "axial", "slice": 4}]
    stored = page.get("/api/state")["scan"]["stored"]["axial"]
    number = stored["count"] - 1 - 4 if stored["flipped"] else 4
    state = page.get("/api/state")
    assert state["undo_what"] == f"remove outline femur, axial {number}"
    assert page.send("POST", "/api/undo")["changed"] == here
    assert not page.labels().any()  # "nothing here" is drawn
    undone = page.send("POST", "/api/undo")
    assert undone["changed"] == here
    assert undone["redo_what"] == f"outline femur, axial {number}"
    assert page.labels().sum() == first.sum()
    page.send("POST", "/api/undo")
    gone = page.send("POST", "/api/undo")
    assert (gone["changed"], gone["labels"], gone["can_undo"]) == ([], [], False)
    assert page.refused(409, "POST", "/api/undo")["what"] == "there is nothing to undo"
    for _ in range(4):
        page.send("POST", "/api/redo")
    assert page.refused(409, "POST", "/api/redo")
    revisions = [page.send("POST", way)["revision"] for way in ("/api/undo", "/api/redo")]
    assert all(one < other for one, other in pairwise(revisions))


def test_labels_are_added_named_coloured_hidden_locked_and_deleted(page, blocks, folder, tiny):
    added = page.send("POST", "/api/label", {"name": " hip ", "colour": "#010203"})
    assert added["id"] == 2
    assert added["labels"][1] == {
        "id": 2, "name": "hip", "colour": "#010203", "visible": True, "locked": False,
        "outlines": 0,
    }  # fmt: skip
    mask = wire_slice(blocks == 2, "axial", 4)
    page.draw(2, "axial", 4, mask)
    page.send("PATCH", "/api/label/2", {"visible": False, "locked": True, "name": "sacrum"})
    assert page.refused(409, "PUT", "/api/outline/2/axial/4", packed(mask))["what"] == (
        "sacrum is locked"
    )
    page.refused(409, "DELETE", "/api/outline/2/axial/4")
    page.refused(409, "DELETE", "/api/label/2")
    page.refused(404, "PUT", "/api/outline/7/axial/4", packed(mask))
    page.refused(400, "PATCH", "/api/label/2", {"colour": "red"})
    page.refused(400, "PATCH", "/api/label/2", {"colour": "#0102030"})
    page.refused(400, "POST", "/api/label", {"name": "x" * 201})
    page.refused(400, "POST", "/api/label", {"number": 3})
    # The look is kept, and no part of undo: taking back what was done last is the name.
    undone = page.send("POST", "/api/undo")["labels"][1]
    assert (undone["name"], undone["visible"], undone["locked"]) == ("hip", False, True)
    page.send("PATCH", "/api/label/2", {"locked": False})
    page.send("DELETE", "/api/label/2")
    assert len(page.get("/api/state")["labels"]) == 1
    assert page.send("POST", "/api/undo")["labels"][1]["outlines"] == 1
    page.send("POST", "/api/open", {"path": "ct.nii.gz"})
    again = page.get("/api/state")["labels"][1]
    assert (again["colour"], again["visible"], again["name"]) == ("#010203", False, "hip")


def test_there_are_255_labels_and_no_more(page):
    session = page.workspace.scan.session
    session.load(Prompts((), session.volume.stored, {n: str(n) for n in range(2, 256)}))
    told = page.refused(400, "POST", "/api/label", {})
    assert told["received"] == "label 256"
    page.refused(400, "PUT", "/api/outline/256/axial/4", b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/outline/1/axial/9", 404), ("/api/outline/1/axial/-1", 404),
        ("/api/outline/1/oblique/1", 400), ("/api/outline/0/axial/1", 400),
        ("/api/outline/x/axial/1", 400), ("/api/labels/axial/99", 404),
    ],
)  # fmt: skip
def test_places_that_are_none_are_refused(page, path, status):
    page.refused(status, "GET", path)


@pytest.mark.parametrize("size", [0, 20, 22, 100_000])
def test_a_mask_of_another_size_is_refused(page, size):
    told = page.refused(400, "PUT", "/api/outline/1/axial/1", b"\xff" * size)
    assert told["received"] == f"{size} bytes"
    assert page.get("/api/state")["outlines"] == []


def test_propagation_streams_slices_and_ends_in_what_segment_gives(drawn, scan, tiny, folder):
    page = drawn
    told = page.propagate(near={"axis": "axial", "slice": 4})
    slices = {one[0]["slice"] for one in told if isinstance(one, tuple)}
    assert slices == set(range(1, 8))
    end = told[-1]
    assert (end["type"], end["complete"], end["running"]) == ("end", True, None)
    assert set(end["results"]["1"]) == {"expected", "stale", "slices"}
    axial = end["results"]["1"]["slices"]["axial"]
    assert axial["confidence"][1 - axial["first"]] == 1.0
    assert any(isinstance(one, dict) and one["type"] == "progress" for one in told)
    prompts = Prompts(page.workspace.scan.session.prompts.prompts, scan.stored, {1: "femur"})
    expected = segment(scan, prompts, CONFIG, model=tiny)
    np.testing.assert_array_equal(page.labels(), expected.labels.voxels)


def test_a_correction_makes_the_result_stale_and_the_next_run_repeats_what_it_reaches(drawn):
    page = drawn
    page.propagate()
    mask = wire_slice(page.labels() == 1, "axial", 3).copy()
    mask[5, 6] ^= True
    parts = page.draw(1, "axial", 3, mask)
    assert parts["stale"] == [1]
    np.testing.assert_array_equal(wire_slice(page.labels() == 1, "axial", 3), mask)
    end = page.propagate()[-1]
    assert not end["results"]["1"]["stale"]
    np.testing.assert_array_equal(wire_slice(page.labels() == 1, "axial", 3), mask)
    counts = page.workspace.scan.session.result().record.slices
    assert counts["encoded"] == 0


def test_several_planes_are_propagated_along_each(page, blocks, scan, tiny):
    for axis, slices in (("axial", (1, 7)), ("sagittal", (2, 4))):
        for index in slices:
            page.draw(1, axis, index, wire_slice(blocks == 1, axis, index))
    page.propagate()
    session = page.workspace.scan.session
    assert session.config.axes == ("axial", "sagittal")
    config = CONFIG.__class__(**{**CONFIG.to_json(), "axes": ("axial", "sagittal")})
    expected = segment(scan, session.prompts, config, model=tiny)
    np.testing.assert_array_equal(page.labels(), expected.labels.voxels)


def test_what_cannot_be_propagated_is_said(page, blocks):
    assert "no slice is prompted" in page.refused(400, "POST", "/api/propagate", {})["what"]
    page.draw(1, "axial", 4, np.zeros((12, 14), bool))
    assert "femur" in page.refused(400, "POST", "/api/propagate", {})["what"]
    page.refused(404, "POST", "/api/propagate", {"labels": [9]})
    page.refused(400, "POST", "/api/propagate", {"near": {"axis": "up", "slice": 1}})
    assert page.send("POST", "/api/stop") is None


def test_a_click_shows_its_mask_and_draws_nothing(page, scan):
    asked = {"label": 1, "axis": "axial", "slice": 4, "points": [[3, 4]], "positive": [True]}
    answer = page.ask("POST", "/api/preview", asked)
    mask = unpacked(answer.body, (12, 14))
    meta = json.loads(answer.headers["x-meta"])
    assert set(meta) == {"predicted_iou", "from_memory"}
    assert page.get("/api/state")["outlines"] == []
    page.draw(1, "axial", 4, mask)
    np.testing.assert_array_equal(wire_slice(page.labels() == 1, "axial", 4), mask)
    boxed = {"label": 1, "axis": "coronal", "slice": 4, "box": [5, 7, 1, 1]}
    assert page.ask("POST", "/api/preview", boxed).status == 200
    for wrong in (
        {**asked, "points": []},
        {**asked, "positive": [True, False]},
        {**asked, "points": [[float("nan"), 1]]},
        {**asked, "axis": "none"},
        {**asked, "box": [1, 2, 3]},
        {**asked, "points": [[1, 1]] * 201, "positive": [True] * 201},
        {**asked, "label": 256},
    ):
        page.refused(400, "POST", "/api/preview", wrong)
    page.refused(404, "POST", "/api/preview", {**asked, "slice": 9})
    page.refused(404, "POST", "/api/preview", {**asked, "label": 3})


def test_slices_near_the_view_are_encoded_ahead(drawn):
    page = drawn
    with page.events() as events:
        page.send("POST", "/api/look", {"axis": "axial", "slice": 4, "label": 1})
        told = json.loads(events.recv(timeout=60))
    assert told["type"] == "encoded"
    assert told["slices"] == [4]


def test_a_second_tab_is_told_and_may_take_over(page, blocks):
    mask = wire_slice(blocks == 1, "axial", 4)
    with page.events("tab-1") as one, page.events("tab-2") as two:
        assert json.loads(two.recv(timeout=30)) == {"type": "other_tab"}
        page.draw(1, "axial", 4, mask)
        assert json.loads(two.recv(timeout=30))["outlines"]
        page.tab = "tab-2"
        told = page.refused(409, "PUT", "/api/outline/1/axial/4", packed(mask))
        assert "another tab" in told["what"]
        page.refused(409, "POST", "/api/undo")
        page.refused(409, "POST", "/api/propagate", {})
        page.send("POST", "/api/take-over")
        assert json.loads(one.recv(timeout=30)) == {"type": "other_tab"}
        page.draw(1, "axial", 4, ~mask)
        page.tab = "tab-1"
        page.refused(409, "POST", "/api/undo")


def test_the_next_tab_edits_when_the_first_has_gone(page):
    with page.events("tab-1") as one, page.events("tab-2") as two:
        assert json.loads(two.recv(timeout=30)) == {"type": "other_tab"}
        one.close()
        assert json.loads(two.recv(timeout=30)) == {"type": "editor"}
        page.tab = "tab-2"
        page.send("POST", "/api/label", {})


def test_nothing_is_answered_without_the_key(page, folder):
    other = Page.__new__(Page)
    other.port, other.cookie = page.port, "voxtrail=wrong"
    for method, path in (
        ("GET", "/api/state"), ("GET", "/api/scan"), ("POST", "/api/undo"), ("GET", "/assets/x.js"),
        ("PUT", "/api/outline/1/axial/4"), ("POST", "/api/open"), ("GET", "/?x=1"),
        ("GET", "/?key=wrong"), ("GET", "/?key="), ("GET", "/api/files?key=1"),
    ):  # fmt: skip
        answer = other.ask(method, path)
        assert answer.status == 401
        assert b"femur" not in answer.body
    for cookie in ("", page.cookie + "x", page.cookie.partition("=")[0] + "="):
        assert other.ask("GET", "/api/state", Cookie=cookie).status == 401
    with pytest.raises(Exception, match="403"), other.events():
        pass


def test_the_file_chooser_stays_below_the_folder(page, folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.nii.gz").write_bytes(b"x")
    (folder / "sub").mkdir()
    (folder / "sub" / "link").symlink_to(outside)
    (folder / "out.nii.gz").symlink_to(outside / "secret.nii.gz")
    (folder / ".hidden").write_text("x")
    top = page.get("/api/files")
    assert top["parent"] is None
    kinds = {one["name"]: one["kind"] for one in top["entries"]}
    assert kinds == {"sub": "folder", "ct.nii.gz": "scan", "ct.voxtrail.json": "session"}
    assert page.get("/api/files?path=sub") == {"path": "sub", "parent": "", "entries": []}
    for path in ("..", "/etc", "sub/link", "sub/../..", str(outside), "out.nii.gz/..%2f.."):
        page.refused(403, "GET", f"/api/files?path={path}")
        page.refused(403, "POST", "/api/open", {"path": path})
    page.refused(403, "POST", "/api/open", {"path": "out.nii.gz"})
    page.refused(404, "GET", "/api/files?path=nowhere")


def test_a_scan_that_cannot_be_read_is_said_and_the_open_one_stays(page, folder):
    (folder / "bad.nii.gz").write_bytes(b"not a scan at all")
    told = page.refused(400, "POST", "/api/open", {"path": "bad.nii.gz"})
    assert "bad.nii.gz" in told["what"]
    page.refused(400, "POST", "/api/open", {"path": "missing.nii.gz"})
    page.refused(400, "POST", "/api/open", {})
    assert page.get("/api/state")["scan"]["name"] == "ct.nii.gz"


def test_a_session_file_opens_its_scan(page):
    page.send("POST", "/api/open", {"demo": True})
    assert page.get("/api/state")["scan"]["name"] == "demo"
    assert page.send("POST", "/api/open", {"path": "ct.voxtrail.json"})["scan"]["name"] == (
        "ct.nii.gz"
    )
    assert page.get("/api/state")["labels"][0]["name"] == "femur"


def test_a_model_that_cannot_be_loaded_is_said_and_drawing_goes_on(folder, blocks):
    error = WeightsError("no weights", received="x", accepted="y", remedy="fetch them")
    with serving(folder, error) as page:
        page.send("POST", "/api/open", {"path": "ct.nii.gz"})
        page.send("POST", "/api/label", {})
        page.draw(1, "axial", 4, wire_slice(blocks == 1, "axial", 4))
        assert page.refused(400, "POST", "/api/propagate", {})["remedy"] == "fetch them"
        asked = {"label": 1, "axis": "axial", "slice": 4, "points": [[3, 4]], "positive": [True]}
        page.refused(400, "POST", "/api/preview", asked)
        model = page.get("/api/state")["model"]
        assert (model["state"], model["error"]["what"]) == ("failed", "no weights")


def test_two_programs_do_not_share_a_session(page, folder, tiny):
    assert page.port  # it has the session open
    with serving(folder, tiny) as other:
        told = other.refused(400, "POST", "/api/open", {"path": "ct.nii.gz"})
        assert told["what"] == "another voxtrail works on this session"
        assert other.get("/api/state")["scan"] is None
