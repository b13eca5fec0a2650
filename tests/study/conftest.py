"""A study small enough for tests: two tiny subjects, a model of random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.conftest import add_subject
from voxtrail.datasets.manifest import Manifest
from voxtrail.datasets.sample import sample
from voxtrail.study.experiments import experiments
from voxtrail.study.runner import StudyRequest
from voxtrail.study.settings import Settings


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study") / "data"
    add_subject(root, "s0000")
    add_subject(root, "s0001", empty=("sacrum",))
    return root


@pytest.fixture(scope="session")
def manifest(data: Path) -> Manifest:
    """Two hips and two vertebrae."""
    return sample(data, 2, 0, allow_short=True)


@pytest.fixture(autouse=True)
def _without_itk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the 1.5 GB package, installed or not: its rows are not run."""

    def no_itk(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("voxtrail.baselines.morphological.import_module", no_itk)


@pytest.fixture
def request_for(data, manifest, nano, tmp_path) -> Callable[..., StudyRequest]:
    """Return a request for experiments by name, in the test's own folder."""

    def make(*names: str, **changes) -> StudyRequest:
        settings = Settings(data, model=str(nano), device="cpu", margin_mm=4.0)
        given = {"manifest": manifest, "folder": tmp_path / "out", "settings": settings} | changes
        return StudyRequest(experiments=experiments(list(names)), **given)

    return make
