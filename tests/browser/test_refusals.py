"""What goes wrong is said on the page, with what to do; nothing that was drawn is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.browser.conftest import CONFIG
from tests.browser.screen import Screen
from tests.serve.page import serving
from voxtrail.errors import WeightsError


def test_a_bad_scan_a_missing_model_and_a_full_disk_are_told(chromium: Any, folder: Path) -> None:
    (folder / "torn.nii.gz").write_bytes(b"not a scan")
    missing = WeightsError(
        "the weights cannot be found", received="micro", accepted="a folder", remedy="name it"
    )
    with serving(folder, missing, CONFIG) as server, Screen.opened(chromium, server) as screen:
        tab = screen.tab
        # The start page: a file that is no scan is refused, another one opens.
        tab.get_by_role("button", name="torn.nii.gz").click()
        tab.get_by_role("alert").get_by_text("Received:").wait_for()
        tab.get_by_role("button", name="ct.nii.gz").click()
        screen.wait_for_scan()
        tab.get_by_role("button", name="Add the first label").click()
        name = tab.get_by_role("textbox", name="name of label 1")
        name.fill("hip")
        name.press("Enter")
        tab.get_by_role("button", name="hip 0 drawn").wait_for()

        # Without a model all but the model's own can be done.
        screen.see("could not be loaded: the weights cannot be found")
        assert tab.get_by_role("button", name="Propagate").is_disabled()
        screen.go_to("axial", 19)
        screen.keys.press("9")
        screen.click("axial", 60, 45)
        screen.see("brush and polygon work without it")
        screen.keys.press("4")
        screen.click("axial", 60, 45)
        assert screen.drawn(1, "axial", 19)[60, 45]

        # A stroke that the disk has no room for is kept until it has.
        full = {"error": {"what": "the disk is full", "remedy": "make room"}}
        tab.route(
            "**/api/outline/**",
            lambda route: route.fulfill(
                status=507, content_type="application/json", body=json.dumps(full)
            ),
        )
        screen.go_to("axial", 20)
        screen.click("axial", 62, 47)
        screen.see("Not saved: the disk is full")
        screen.see("1 unsaved change is kept here")
        tab.unroute("**/api/outline/**")
        tab.get_by_role("button", name="Send again").click()
        assert screen.drawn(1, "axial", 20)[62, 47]
        tab.get_by_text("Not saved").wait_for(state="detached")
