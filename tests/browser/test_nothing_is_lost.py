"""Reloads, a second tab, a server that dies, files that cannot be taken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.screen import Screen
from tests.serve.page import Page

KEY = "k" * 32


def test_a_reload_and_a_second_tab_find_what_is_drawn(screen: Screen, folder: Path) -> None:
    screen.go_to("axial", 19)
    screen.keys.press("4")
    screen.click("axial", 60, 45)
    drawn = screen.drawn(1, "axial", 19)
    screen.tab.reload()
    screen.wait_for_scan()
    screen.see("drawn")
    assert np.array_equal(screen.drawn(1, "axial", 19), drawn)

    second = Screen(screen.tab.context.new_page(), screen.server)
    second.tab.goto(f"http://127.0.0.1:{screen.server.port}/")
    second.wait_for_scan()
    second.see("Another tab draws on this scan")
    second.keys.press("4")
    second.go_to("axial", 21)
    second.click("axial", 60, 45)  # kept until this tab may draw
    second.see("1 unsaved change is kept here")
    second.tab.get_by_role("button", name="Draw here").click()
    assert second.drawn(1, "axial", 21) is not None
    screen.see("Another tab draws on this scan")
    second.tab.close()
    screen.tab.get_by_text("Another tab draws").wait_for(state="detached")

    # What cannot be taken is said where it was asked for.
    screen.tab.get_by_role("button", name="Import").click()
    (folder / "note.txt").write_text("no label map")
    screen.tab.get_by_label("Label map").set_input_files(folder / "note.txt")
    screen.tab.get_by_role("button", name="Import", exact=True).last.click()
    screen.tab.get_by_role("dialog").get_by_role("alert").wait_for()
    screen.errors.clear()  # the browser's own note of the refusal
    screen.keys.press("Escape")
    assert np.array_equal(screen.drawn(1, "axial", 19), drawn)


@contextmanager
def served(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Start the command and wait for the printed address; kill it in the end."""
    command = "import sys; from voxtrail.cli.main import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", command, "annotate", "ct.nii.gz", "--model", "micro",
         "--no-browser", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "VOXTRAIL_ANNOTATE_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            assert KEY in server.stdout.readline()
            yield server
        finally:
            server.kill()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_stroke_outlives_a_server_that_was_killed(
    chromium: Any, folder: Path, free_port: int
) -> None:
    with ExitStack() as servers:
        server = servers.enter_context(served(folder, free_port))
        with Screen.opened(chromium, Page(free_port, KEY)) as screen:
            screen.wait_for_scan()
            screen.tab.get_by_role("button", name="Add the first label").click()
            screen.tab.get_by_role("textbox", name="name of label 1").press("Enter")
            screen.keys.press("4")
            screen.go_to("axial", 19)
            screen.click("axial", 60, 45)
            confirmed = screen.drawn(1, "axial", 19)
            server.kill()
            screen.see("The server does not answer")
            screen.go_to("axial", 20)
            screen.click("axial", 62, 47)
            screen.see("1 unsaved change is kept here")
            servers.enter_context(served(folder, free_port))
            screen.tab.get_by_text("The server does not answer").wait_for(state="detached")
            assert np.array_equal(screen.drawn(1, "axial", 19), confirmed)
            assert screen.drawn(1, "axial", 20)[62, 47]
