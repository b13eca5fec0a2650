"""Debian's Chromium, a phantom in a folder, and a server of the page over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.screen import Screen
from tests.serve.page import Page, serving
from voxtrail.core.volume import Volume
from voxtrail.datasets.phantom import demo_subject
from voxtrail.datasets.phantom.subject import PhantomSubject
from voxtrail.io import write
from voxtrail.model.base import LoadedModel
from voxtrail.session import Config
from voxtrail.session.loading import load_unseen

CONFIG = Config(model="micro")
#: No sandbox: containers run as root. The rest keeps the browser off the network.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--enable-unsafe-swiftshader",  # WebGL without a GPU
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # Not for the session: while Playwright runs, no other test of the process can use asyncio.
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def micro() -> LoadedModel:
    return load_unseen(CONFIG)


@pytest.fixture(scope="session")
def subject() -> PhantomSubject:
    return demo_subject()


@pytest.fixture(scope="session")
def hip(subject: PhantomSubject) -> np.ndarray:
    """The truth of one structure that lies on one side of the body, (i, j, k) bool, RAS+."""
    return subject.masks["hip_left"]


@pytest.fixture(scope="session")
def ct(subject: PhantomSubject) -> Volume:
    return Volume.from_stored(subject.hu, subject.affine)


@pytest.fixture
def folder(tmp_path: Path, ct: Volume) -> Path:
    write(ct, tmp_path / "ct.nii.gz")
    return tmp_path


@pytest.fixture
def server(chromium: Any, folder: Path, micro: LoadedModel) -> Iterator[Page]:
    """A server with the phantom open and one label; what it knows is read through this."""
    with serving(folder, micro, CONFIG) as page:
        page.send("POST", "/api/open", {"path": "ct.nii.gz"})
        page.send("POST", "/api/label", {"name": "hip"})
        yield page


@pytest.fixture
def screen(chromium: Any, server: Page) -> Iterator[Screen]:
    """The page in a window of a small laptop; it has to end without an error of its own."""
    with Screen.opened(chromium, server) as screen:
        screen.wait_for_scan()
        yield screen
        assert screen.errors == []
