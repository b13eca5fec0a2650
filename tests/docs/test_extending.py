"""The examples of docs/extending.md, run as a reader would: a package, installed, and its use."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.conftest import add_subject
from tests.memory.test_policies import (
    test_what_is_not_retained_is_never_asked_for as what_is_retained_is_enough,
)
from tests.scans import oblique_affine, three_blocks
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.sample import sample
from voxtrail.evaluate import simulate
from voxtrail.io.registry import formats
from voxtrail.memory.prompted.all import AllPrompts

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str | None, str]]:
    """Return language, file name and contents of each block, in order."""
    return [(one[1], one[2], one[3]) for one in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the page's files and lay out what pip writes of their entry points."""
    files = {name: text for _, name, text in blocks() if name}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, named in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in named.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    formats.cache_clear()
    yield tmp_path
    formats.cache_clear()
    for name in files:
        sys.modules.pop(Path(name).stem, None)


def test_every_example_runs(installed: Path, nano: Path, tmp_path: Path) -> None:
    add_subject(tmp_path / "data", "s0000")
    hu, labels = three_blocks()
    affine = oblique_affine()
    truth = LabelMap.from_stored(labels, affine, {1: "femur", 2: "sacrum", 3: "hip"})
    names = {
        "scan": Volume.from_stored(np.asarray(hu), affine),
        "outlines": simulate(truth),
        "checkpoint": str(nano),
        "dataset": tmp_path / "data",
        "manifest": sample(tmp_path / "data", 1, 0, allow_short=True),
    }
    run = 0
    for language, name, text in blocks():
        if language == "python" and name is None:
            exec(compile(text, str(PAGE), "exec"), names)
            run += 1
    assert run >= 3


@pytest.mark.parametrize("direction", [1, -1])
def test_the_policy_keeps_the_contract_of_its_family(installed: Path, direction: int) -> None:
    apart = importlib.import_module("apart")
    what_is_retained_is_enough(AllPrompts(), apart.Apart(gap=4), direction)
