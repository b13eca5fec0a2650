"""A real process: killed at any moment, out of disk, told to end, and started again."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.serve.page import Page, packed
from tests.serve.test_annotate import wire_slice

PROGRAM = "from voxtrail.cli.main import main; main()"


@contextmanager
def annotating(folder: Path, *arguments: str):
    """Run the command; yield the process and a tab."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "annotate", *arguments, "--no-browser"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        port, _, key = address.removeprefix("http://127.0.0.1:").partition("/?key=")
        assert key, process.communicate()
        yield process, Page(int(port), key)
    finally:
        process.kill()
        process.communicate()


def test_what_was_confirmed_is_there_after_a_full_disk_and_a_kill(folder, nano, blocks):
    mask = wire_slice(blocks == 1, "axial", 4)
    arguments = ("ct.nii.gz", "--model", str(nano), "--preset", "is+sps", "--margin", "4")
    with annotating(folder, *arguments) as (process, page):
        page.send("POST", "/api/label", {"name": "femur"})
        for index in (1, 4, 7):
            page.draw(1, "axial", index, mask)
        page.propagate()
        found = page.labels()
        # The disk takes no more: nothing is changed, and it is said.
        before = (folder / "ct.voxtrail.json").read_bytes()
        limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100, limits[1]))
        told = page.refused(507, "PUT", "/api/outline/1/axial/2", packed(~mask))
        assert "room" in told["remedy"]
        page.refused(507, "POST", "/api/undo")
        page.refused(507, "PATCH", "/api/label/1", {"visible": False})
        page.refused(507, "POST", "/api/export", {"name": "seg.nii.gz"})
        assert (folder / "ct.voxtrail.json").read_bytes() == before
        assert len(page.get("/api/state")["outlines"]) == 3
        # What was found is shown all the same, though it cannot be kept.
        end = page.propagate()[-1]
        assert end["complete"]
        assert any("could not be kept" in one for one in end["warnings"])
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
        assert [one for one in folder.iterdir() if one.name.startswith(".partial")] == []
        page.draw(1, "axial", 2, ~mask)
        page.send("POST", "/api/undo")
        process.send_signal(signal.SIGKILL)
        process.wait()
    with annotating(folder, *arguments) as (process, page):
        state = page.get("/api/state")
        assert [(one["name"], one["outlines"]) for one in state["labels"]] == [("femur", 3)]
        assert state["results"]["1"]["stale"] is False
        np.testing.assert_array_equal(page.labels(), found)
        assert page.send("POST", "/api/redo")["stale"] == [1]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out == f"All that was drawn is in {folder / 'ct.voxtrail.json'}\n"
        assert "Traceback" not in err
        assert page.cookie.partition("=")[2] not in out + err


def test_the_command_refuses_in_one_line(folder, nano, tmp_path):
    (folder / "bad.nii.gz").write_bytes(b"nonsense")
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, "annotate", "bad.nii.gz", "--no-browser"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("error: ")
