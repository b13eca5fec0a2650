"""Names that no file can have, wherever a command takes one: exit 2, one line, nothing written."""

from __future__ import annotations

import re

import pytest

from tests.cli.files import listing
from tests.datasets.conftest import add_subject

# With two slashes: one alone would be a repository of the hub.
NAMES = {
    "too long": "x" * 300,
    "too deep": "/".join(["y" * 200] * 30),
    "with a null": "a\0b",
    "under a file": "file/far/below",
    "under a link to itself": "loop/far/below",
}
STUDY = ("study", "run", "stride", "--manifest", "manifest.csv", "--root", "data", "-o", "out",
         "--model", "{nano}", "--device", "cpu", "--quiet")  # fmt: skip
COMMANDS = {
    "dataset scan": ("dataset", "scan", "{name}", "--quiet"),
    "dataset sample": ("dataset", "sample", "{name}", "-o", "new.csv", "--per-type", "1"),
    "dataset sample -o": ("dataset", "sample", "data", "-o", "{name}", "--per-type", "1"),
    "study run, experiment": (*STUDY[:2], "{name}", *STUDY[3:]),
    "study run --manifest": (*STUDY, "--manifest", "{name}"),
    "study run --root": (*STUDY, "--root", "{name}"),
    "study run -o": (*STUDY, "-o", "{name}"),
    "study run -o --dry-run": (*STUDY, "-o", "{name}", "--dry-run"),
    "study run --model": (*STUDY, "--model", "{name}"),
    "study run --cache": (*STUDY, "--cache", "{name}"),
    "study run --executor": (*STUDY, "--executor", "{name}"),
    "study report": ("study", "report", "{name}"),
    "phantom": ("phantom", "{name}", "--subjects", "1"),
    "export": ("export", "{name}", "--model", "{nano}", "--quiet"),
    "export --model": ("export", "new", "--model", "{name}", "--quiet"),
    "bench --model": ("bench", "--model", "{name}", "--peers", "", "--quiet"),
    "bench --peers": ("bench", "--model", "{nano}", "--peers", "{name}", "--quiet"),
    "bench --write": ("bench", "--model", "{nano}", "--peers", "", "--write", "{name}", "--quiet"),
    "models": ("models", "{name}"),
    "demo": ("demo", "-o", "{name}", "--quiet"),
}


@pytest.fixture
def place(tmp_path, monkeypatch, voxtrail):
    """Stand in a folder with a dataset, a manifest, a file and a link to itself."""
    monkeypatch.chdir(tmp_path)
    add_subject(tmp_path / "data", "s0000")
    (tmp_path / "file").write_text("precious")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    sample = ("dataset", "sample", "data", "-o", "manifest.csv", "--per-type", "1")
    assert voxtrail(*sample, "--allow-short", "--quiet").code == 0
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_no_file_can_have(command, place, nano, voxtrail):
    before = listing(place)
    for kind, name in NAMES.items():
        said = voxtrail(*(part.format(name=name, nano=nano) for part in COMMANDS[command]))
        assert said.code == 2, (kind, said)
        assert re.fullmatch(r"error: [^\n]+\n", said.err), (kind, said)
        assert len(said.err) < 9000, kind
    assert listing(place) == before


def test_the_longest_name_that_a_file_can_have_is_written(place, voxtrail):
    name = "x" * 251 + ".csv"
    sample = ("dataset", "sample", "data", "-o", name, "--per-type", "1", "--allow-short")
    assert voxtrail(*sample, "--quiet").code == 0
    assert (place / name).read_bytes() == (place / "manifest.csv").read_bytes()
