"""Labels out and in: equal to what the engine gives, in each format, and within the folder."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from tests.serve.page import CONFIG, Page
from tests.serve.test_annotate import wire_slice
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap
from voxtrail.io import read, read_labels, read_prompts, write
from voxtrail.session import segment

FIRST, MIDDLE, LAST = 1, 4, 7


@pytest.fixture
def drawn(page, blocks) -> Page:
    for index in (FIRST, MIDDLE, LAST):
        page.draw(1, "axial", index, wire_slice(blocks == 1, "axial", index))
    return page


def outlines(scan, blocks) -> Prompts:
    """The same outlines, made without the page."""
    stack = Axis.AXIAL.to_stack(blocks == 1)
    masks = tuple(MaskPrompt(1, Axis.AXIAL, k, stack[k]) for k in (FIRST, MIDDLE, LAST))
    return Prompts(masks, scan.stored, {1: "femur"})


def test_exported_labels_and_record_are_those_of_segment(drawn, folder, tiny, blocks):
    page = drawn
    page.propagate()
    told = page.send("POST", "/api/export", {"name": "seg.nii.gz"})
    assert told["path"] == "seg.nii.gz"
    scan = read(folder / "ct.nii.gz")  # with the rounding of the file
    found = read_labels(folder / "seg.nii.gz", like=scan)
    expected = segment(scan, outlines(scan, blocks), CONFIG, model=tiny)
    np.testing.assert_array_equal(found.voxels, expected.labels.voxels)
    assert found.stored.same_as(scan.stored)
    record = json.loads((folder / "seg.json").read_text())
    assert record == told["record"]
    theirs = json.loads(json.dumps(expected.record.to_json()))
    for part in ("format", "notice", "config", "labels", "model", "grid", "warnings", "versions"):
        assert record[part] == theirs[part]
    assert record["outputs"] == {"labels": ["seg.nii.gz"]}


def test_a_correction_in_between_is_what_the_engine_gives_for_all_outlines(
    drawn, folder, scan, tiny, blocks
):
    page = drawn
    page.propagate()
    mask = wire_slice(page.labels() == 1, "axial", 2).copy()
    mask[3:6, 2:9] ^= True
    page.draw(1, "axial", 2, mask)
    page.propagate()
    page.send("POST", "/api/undo")
    page.send("POST", "/api/redo")
    page.send("POST", "/api/export", {"name": "seg.nii.gz"})
    more = MaskPrompt(1, Axis.AXIAL, 2, mask[::-1, ::-1])
    prompts = outlines(scan, blocks)
    prompts = Prompts((*prompts.prompts, more), scan.stored, prompts.names)
    expected = segment(scan, prompts, CONFIG, model=tiny)
    found = read_labels(folder / "seg.nii.gz", like=scan)
    np.testing.assert_array_equal(found.voxels, expected.labels.voxels)


def test_what_was_not_propagated_is_said_in_the_record(drawn, folder, blocks):
    page = drawn
    warnings = page.send("POST", "/api/export", {"name": "a.nrrd"})["record"]["warnings"]
    assert "femur: not propagated; it is what was drawn" in warnings
    page.propagate()
    page.draw(1, "axial", 3, wire_slice(blocks == 1, "axial", 3))
    warnings = page.send("POST", "/api/export", {"name": "b.nrrd"})["record"]["warnings"]
    assert "femur: drawn on since it was propagated" in warnings


def test_every_format_downloads(drawn, scan, folder):
    page = drawn
    page.send("POST", "/api/label", {"name": "hip"})
    page.draw(2, "coronal", 6, np.ones((9, 14), bool))
    for one in page.get("/api/state")["formats"]:
        answer = page.ask("GET", f"/api/download/{one['suffix']}")
        if not one["available"]:
            assert one["why_not"]
            assert answer.status == 400
            continue
        assert answer.status == 200, (one, answer.body)
        if one["suffix"] in (".nii.gz", ".nrrd", ".seg.nrrd", ".mha"):
            assert f"ct-labels{one['suffix']}" in answer.headers["content-disposition"]
            place = folder / f"down{one['suffix']}"
            place.write_bytes(answer.body)
            found = read_labels(place, like=scan)
            np.testing.assert_array_equal(found.voxels, page.labels())
        if one["suffix"] == ".stl":  # a file a label
            names = zipfile.ZipFile(io.BytesIO(answer.body)).namelist()
            assert names == ["ct-labels.femur.stl", "ct-labels.hip.stl"]
    only = page.ask("GET", "/api/download/.nii.gz?labels=2").body
    (folder / "only.nii.gz").write_bytes(only)
    assert read_labels(folder / "only.nii.gz").labels() == (2,)
    (folder / "drawn.json").write_bytes(page.ask("GET", "/api/download/.json").body)
    assert len(read_prompts(folder / "drawn.json", like=scan).prompts) == 4
    page.refused(404, "GET", "/api/download/.exe")


def test_exports_stay_in_the_folder_and_replace_nothing_unasked(drawn, folder):
    page = drawn
    before = sorted(one.name for one in folder.iterdir())
    for name in ("../x.nii.gz", "/tmp/x.nii.gz", "a/../../x.nii.gz"):
        page.refused(403, "POST", "/api/export", {"name": name})
    for name in ("ct.voxtrail.json", ".hidden.nii.gz", "x.exe", "no/such/x.nii.gz", "ct.nii.gz"):
        page.refused(400, "POST", "/api/export", {"name": name})
    page.refused(400, "POST", "/api/export", {"name": "x.nii.gz", "labels": [7]})
    assert sorted(one.name for one in folder.iterdir()) == before
    page.send("POST", "/api/export", {"name": "x.nii.gz"})
    page.refused(400, "POST", "/api/export", {"name": "x.nii.gz"})
    page.send("POST", "/api/export", {"name": "x.nii.gz", "overwrite": True})


def test_nothing_to_export_is_said(page):
    assert page.refused(400, "POST", "/api/export", {"name": "x.nii.gz"})["what"] == (
        "there is nothing to export"
    )


def test_a_label_map_is_imported_as_outlines(page, folder, scan, blocks):
    sparse = np.zeros_like(blocks)
    sparse[:, :, [1, 4]] = blocks[:, :, [1, 4]]
    write(LabelMap(sparse, scan.stored, {1: "femur", 2: "hip"}), folder / "drawn.nrrd")
    parts = page.send("POST", "/api/import?as=outlines", {"path": "drawn.nrrd"})
    assert {(one["label"], one["slice"]) for one in parts["outlines"]} == {
        (label, k) for k in (1, 4) for label in np.unique(sparse[:, :, k]) if label
    }
    np.testing.assert_array_equal(page.labels(), sparse)
    page.send("POST", "/api/undo")
    assert not page.labels().any()
    body = (folder / "drawn.nrrd").read_bytes()
    page.send("POST", "/api/import?as=outlines&name=..%2Fmine.nrrd", body)
    np.testing.assert_array_equal(page.labels(), sparse)


def test_a_label_map_is_imported_as_predictions_and_corrected(page, folder, scan, blocks, tiny):
    write(LabelMap(blocks, scan.stored, {2: "hip"}), folder / "old.seg.nrrd")
    body = (folder / "old.seg.nrrd").read_bytes()
    parts = page.send("POST", "/api/import?as=predictions&name=old.seg.nrrd", body)
    assert parts["outlines"] == []
    assert [(one["id"], one["name"]) for one in parts["labels"]] == [(1, "1"), (2, "hip"), (3, "3")]
    np.testing.assert_array_equal(page.labels(), blocks)
    corrected = wire_slice(blocks == 2, "axial", 4).copy()
    corrected[1, 1] = True
    page.draw(2, "axial", 4, corrected)
    expected = blocks.copy()
    expected[:, :, 4][(corrected).T] = 2
    np.testing.assert_array_equal(page.labels(), expected)
    # It is kept, and undone; a label that takes the number of a deleted one begins with nothing.
    page.send("POST", "/api/open", {"path": "ct.nii.gz"})
    np.testing.assert_array_equal(page.labels(), expected)
    page.send("POST", "/api/undo")
    assert not page.send("POST", "/api/undo")["changed"]
    assert not page.labels().any()
    page.send("POST", "/api/redo")
    np.testing.assert_array_equal(page.labels(), blocks)
    page.send("DELETE", "/api/label/3")
    assert page.send("POST", "/api/label", {})["id"] == 3
    assert not (page.labels() == 3).any()


def test_imports_that_cannot_be_are_refused(page, folder, scan, blocks):
    many = np.zeros(blocks.shape, np.uint16)
    many[2:9, 3:7, 4] = 256
    write(LabelMap(many, scan.stored), folder / "many.nii.gz")
    for kind in ("outlines", "predictions"):
        told = page.refused(400, "POST", f"/api/import?as={kind}", {"path": "many.nii.gz"})
        assert told["what"] == "the page has room for 255 labels"
    told = page.refused(400, "POST", "/api/import?as=outlines&name=x.nii.gz", b"nonsense")
    assert "x.nii.gz" in told["what"]
    assert "/tmp" not in told["what"]
    page.refused(400, "POST", "/api/import?as=other", {"path": "many.nii.gz"})
    page.refused(400, "POST", "/api/import?as=outlines", {"nothing": 1})
    page.refused(400, "POST", "/api/import?as=outlines&name=..", b"x")
    page.refused(403, "POST", "/api/import?as=outlines", {"path": "../x.nii.gz"})
    assert page.get("/api/state")["outlines"] == []


def test_a_label_s_surface_is_sent_where_it_lies(page, scan, blocks):
    import trimesh

    assert page.ask("GET", "/api/mesh/1").status == 204
    for index in (3, 4, 5):
        page.draw(1, "axial", index, wire_slice(blocks == 1, "axial", index))
    ply = page.ask("GET", "/api/mesh/1").body
    mesh = trimesh.load(io.BytesIO(ply), file_type="ply")
    middle = np.argwhere(page.labels() == 1).mean(axis=0)
    placed = scan.grid.affine @ [*middle, 1]
    np.testing.assert_allclose(mesh.center_mass, placed[:3], atol=0.3)
