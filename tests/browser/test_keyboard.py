"""All of it without a pointer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.browser.screen import Screen


def test_a_person_without_a_mouse_draws_propagates_and_exports(
    screen: Screen, folder: Path
) -> None:
    keys, tab = screen.keys, screen.tab

    def press(key: str, times: int = 1) -> None:
        for _ in range(times):
            keys.press(key)
        screen.frame()

    # The crosshair is in the middle of the scan; the first view has the keys.
    start = screen.slice("axial"), screen.slice("sagittal"), screen.slice("coronal")
    press("ArrowLeft", 2)  # towards the patient's right, which is on the left
    press("ArrowUp", 3)
    assert screen.slice("sagittal") == start[1] + 2
    assert screen.slice("coronal") == start[2] + 3
    press("Shift+PageDown")
    assert screen.slice("axial") == start[0] - 10

    # A stroke: space is the pen.
    press("4")
    keys.down("Space")
    press("ArrowRight", 8)
    keys.up("Space")
    lower = screen.drawn(1, "axial", start[0] - 10)
    assert np.ptp(np.argwhere(lower)[:, 0]) + 1 == 9 + 8
    # A polygon: space sets points.
    press("PageUp", 6)
    press("3")
    for step in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        press("Space")
        press(step, 8)
    press("Enter")
    assert 49 <= screen.drawn(1, "axial", start[0] - 4).sum() <= 81
    # A box, on another view; given up again.
    press("q")
    press("8")
    keys.down("Space")
    press("ArrowLeft", 10)
    press("ArrowUp", 8)
    keys.up("Space")
    screen.see("IoU")
    press("Escape")
    tab.get_by_text("IoU").wait_for(state="detached")
    press("q")
    press("q")  # axial again

    press("g")
    tab.get_by_role("button", name="Stop").wait_for()
    tab.get_by_role("button", name="Propagate").wait_for()
    press("n")
    next_one = screen.server.get("/api/state")["suggestions"][0]
    assert screen.slice(next_one["axis"]) == next_one["slice"]
    press("Enter")  # what is predicted is taken as it is
    assert screen.drawn(1, next_one["axis"], next_one["slice"]) is not None
    press("Control+z")
    assert screen.drawn(1, next_one["axis"], next_one["slice"]) is None

    press("?")
    tab.get_by_role("dialog", name="Keys and pointer").wait_for()
    press("Escape")
    export = tab.get_by_role("button", name="Export")
    for _ in range(40):  # backwards from the view to the bar above it
        if export.evaluate("button => button === document.activeElement"):
            break
        keys.press("Shift+Tab")
    keys.press("Enter")
    tab.get_by_role("dialog", name="Export the labels").wait_for()
    name = tab.get_by_label("File name")
    for _ in range(10):
        if name.evaluate("field => field === document.activeElement"):
            break
        keys.press("Tab")
    keys.press("Control+a")
    keys.type("typed")
    keys.press("Enter")
    screen.see("Written:")
    assert (folder / "typed.nii.gz").is_file()
