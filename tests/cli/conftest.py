"""The command line called in process, on a small scan in a folder of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.files import listing, outlined, save, stored, stored_labels
from voxtrail.cli import main

#: What, received, accepted and remedy, in one line.
FOUR_PARTS = r"error: [^\n]+; received: [^\n]+; accepted: [^\n]+; [^\n]+\n"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def voxtrail(capfd, monkeypatch):
    """Run the command line as a process would; return exit code and what it printed."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run(*arguments: object) -> Said:
        capfd.readouterr()
        code = main._run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Return a folder with ct.nii.gz, truth.nii.gz and prompts.nii.gz."""
    save(tmp_path / "ct.nii.gz", stored()[0])
    save(tmp_path / "truth.nii.gz", stored_labels())
    save(tmp_path / "prompts.nii.gz", outlined())
    return tmp_path


@pytest.fixture
def refused(voxtrail, case):
    """Run a command that must be refused: exit 2, one line, nothing printed, nothing written."""

    def check(*arguments: object, words: tuple[str, ...] = (), usage: bool = False) -> str:
        before = listing(case)
        said = voxtrail(*arguments)
        assert (said.code, said.out) == (2, ""), said
        form = r"error: [^\n]+\n" if usage else FOUR_PARTS
        assert re.fullmatch(form, said.err), said.err
        for word in words:
            assert word in said.err, said.err
        assert listing(case) == before
        return said.err

    return check


@pytest.fixture
def segment_args(case, nano):
    """Return the arguments of a run that would succeed."""
    return [
        "segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "seg.nii.gz",
        "--model", nano, "--device", "cpu", "--crop", "none",
    ]  # fmt: skip
