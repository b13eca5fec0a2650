"""``voxtrail study`` as a user meets it."""

from __future__ import annotations

import re

import pytest

from tests.datasets.conftest import add_subject
from tests.study.conftest import _without_itk  # noqa: F401  # a fixture
from tests.study.test_experiments import NAMES


@pytest.fixture
def study(tmp_path, nano, voxtrail):
    """Return the arguments of a run that would succeed."""
    root = tmp_path / "data"
    add_subject(root, "s0000")
    manifest = tmp_path / "manifest.csv"
    arguments = ["dataset", "sample", root, "-o", manifest, "--per-type", 1, "--allow-short"]
    assert voxtrail(*arguments).code == 0
    return ["study", "run", "stride", "--manifest", manifest, "--root", root,
            "-o", tmp_path / "out", "--model", nano, "--device", "cpu", "--quiet"]  # fmt: skip


def test_list_prints_one_a_line_name_first(voxtrail) -> None:
    lines = voxtrail("study", "list").out.splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == sorted(NAMES)


def test_a_run_says_what_it_did(voxtrail, study, tmp_path) -> None:
    said = voxtrail(*study)
    assert (said.code, said.err) == (0, "")
    assert "0 failed; 0 were there. Research use only: not a medical device." in said.out
    assert list((tmp_path / "out/records").rglob("*.parquet"))
    again = voxtrail(*study)
    assert " 0 rows done" in again.out


def test_progress_has_rate_and_time_left(voxtrail, study, monkeypatch) -> None:
    monkeypatch.setattr("voxtrail.cli.progress.LINE_SECONDS", 0.0)
    said = voxtrail(*[part for part in study if part != "--quiet"])
    lines = [line for line in said.err.splitlines() if line.startswith("running: ")]
    total = len(lines)
    assert total > 3
    rate = r"[\d.e+]+ tasks a minute"
    for number, line in enumerate(lines[1:-1], start=2):
        assert re.fullmatch(rf"running: {number}/{total} tasks, \d+ s, {rate}, \d+ s left", line), (
            line
        )
    assert re.fullmatch(rf"running: {total}/{total} tasks, \d+ s, {rate}", lines[-1])


def test_a_dry_run_writes_nothing(voxtrail, study, tmp_path) -> None:
    said = voxtrail(*study, "--dry-run")
    assert said.code == 0
    assert "2 cases of 1 subjects" in said.out
    assert "axial slices" in said.out
    assert "estimate: " in said.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda root, manifest: (root / "s0000/ct.nii.gz").unlink(), "missing"),
        (lambda root, manifest: manifest.write_text("case\n"), "no manifest"),
        (
            lambda root, manifest: manifest.write_text(manifest.read_text().replace("hip", "hips")),
            "was changed",
        ),
        (lambda root, manifest: manifest.unlink(), "No such file"),
    ],
)
def test_bad_input_is_one_line(voxtrail, study, tmp_path, damage, words) -> None:
    damage(tmp_path / "data", tmp_path / "manifest.csv")
    said = voxtrail(*study)
    assert said.code == 2
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_failures_show_in_the_exit_code(voxtrail, study, monkeypatch) -> None:
    from voxtrail.study.tasks.track_outlines import TrackOutlines

    def fail(self, case, context):
        raise RuntimeError("no luck")

    monkeypatch.setattr(TrackOutlines, "run", fail)
    said = voxtrail(*study)
    assert said.code == 1
    assert said.err.startswith("error: the work failed: 6 rows failed")
    assert "Traceback" not in said.err


def test_a_folder_that_cannot_be_made_is_refused(voxtrail, study, tmp_path) -> None:
    (tmp_path / "out").write_text("in the way")
    said = voxtrail(*study)
    assert said.code == 2
    assert said.err.count("\n") == 1
