"""The whole way: outline three slices with the mouse, propagate, correct, undo, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import voxtrail as vt
from tests.browser.conftest import CONFIG
from tests.browser.screen import Screen, contour, dice
from voxtrail.core.volume import LabelMap, Volume


def test_outlines_become_labels_that_are_corrected_and_exported(
    screen: Screen, folder: Path, ct: Volume, hip: np.ndarray
) -> None:
    for index in (8, 19, 30):
        screen.go_to("axial", index)
        screen.outline("axial", contour(hip[:, :, index]))
        assert dice(screen.drawn(1, "axial", index), hip[:, :, index]) > 0.9
    screen.see("drawn")

    screen.propagate()
    screen.see("Dice 0.")
    screen.see("Draw next:")
    found = screen.server.labels()
    assert dice(found[:, :, 8:31] == 1, hip[:, :, 8:31]) > 0.75
    export(screen, "first", ".nii.gz")
    export(screen, "drawn", ".json")
    drawn = vt.read_prompts(folder / "drawn.json", like=ct)
    expected = vt.segment(ct, drawn, CONFIG).labels.voxels
    exported = vt.read_labels(folder / "first.nii.gz", like=ct).voxels
    assert np.array_equal(exported, expected)
    assert np.array_equal(exported, found)

    # A correction begins with what is predicted, and is an outline of the slice.
    screen.go_to("axial", 14)
    screen.keys.press("4")
    predicted = found[:, :, 14] == 1
    x, y = np.argwhere(predicted).mean(axis=0)
    screen.drag("axial", [(x, y), (x + 6, y)])
    corrected = screen.drawn(1, "axial", 14)
    assert corrected is not None
    assert corrected[predicted].all()
    assert corrected.sum() > predicted.sum()
    screen.keys.press("Control+z")
    assert screen.drawn(1, "axial", 14) is None
    assert np.array_equal(screen.server.labels(), found)
    screen.keys.press("Control+y")
    assert np.array_equal(screen.drawn(1, "axial", 14), corrected)
    screen.see("old")
    screen.propagate()
    assert np.array_equal(screen.server.labels()[:, :, 14] == 1, corrected)
    screen.tab.get_by_label("surfaces of the labels").wait_for()
    assert screen.tab.get_by_text("No surfaces").count() == 0


def test_a_person_goes_on_while_slices_come_stops_them_and_imports_a_map(
    screen: Screen, folder: Path, ct: Volume, hip: np.ndarray
) -> None:
    tab = screen.tab
    for index in (8, 30):
        screen.go_to("axial", index)
        screen.outline("axial", contour(hip[:, :, index]))
    screen.wait_until_saved()
    screen.keys.press("g")
    tab.get_by_role("button", name="Stop").wait_for()
    screen.keys.press("Shift+PageDown")
    assert screen.slice("axial") == 20
    screen.keys.press("4")
    screen.click("axial", 60, 45)
    assert screen.drawn(1, "axial", 20)[60, 45]
    screen.keys.press("Shift+g")
    tab.get_by_role("button", name="Propagate").wait_for()
    assert screen.server.get("/api/state")["running"] is None

    found = LabelMap(np.where(hip, 2, 0).astype(np.uint8), ct.stored, {2: "other"}, ct.provenance)
    vt.write(found, folder / "found.nii.gz")
    tab.get_by_role("button", name="Import").click()
    dialog = tab.get_by_role("dialog", name="Import labels")
    dialog.get_by_label("Label map").set_input_files(folder / "found.nii.gz")
    dialog.get_by_label("predictions").check()
    dialog.get_by_role("button", name="Import").click()
    dialog.wait_for(state="detached")
    assert dice(screen.server.labels()[:, :, :7] == 2, hip[:, :, :7]) > 0.9
    assert screen.drawn(2, "axial", 2) is None  # nobody drew it


def export(screen: Screen, name: str, suffix: str) -> None:
    screen.tab.get_by_role("button", name="Export").click()
    dialog = screen.tab.get_by_role("dialog", name="Export the labels")
    dialog.get_by_label("Format").select_option(suffix)
    dialog.get_by_label("File name").fill(name)
    dialog.get_by_role("button", name="Write").click()
    dialog.get_by_text("Written:").wait_for()
    screen.keys.press("Escape")
    dialog.wait_for(state="detached")
