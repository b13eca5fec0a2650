"""A process that is killed while it writes leaves each file old, absent or whole and new.

Every file that a command writes is tried: over an old one, and where there is none. The process is
forked from this one, which has everything imported, and is killed at a random moment between the
first change that it makes to the folder and its end.
"""

import os
import select
import signal
import time
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.killed.writers import Writer, make
from voxtrail.model.weights import load_model

KILLS = 50
#: After so long a writer hangs; a busy machine only makes it slow.
HANGS_S = 600.0


@pytest.fixture(scope="module")
def writers(tmp_path_factory, nano) -> list[Writer]:
    return make(tmp_path_factory.mktemp("made"), load_model(str(nano), device="cpu"))


def contents(folder: Path) -> dict[str, object]:
    """Return what the files hold, but for hidden ones: half of a file is always hidden."""
    return {
        str(path.relative_to(folder)): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _hidden(path, folder)
    }


def _content(path: Path) -> object:
    if path.suffix != ".dcm":
        return path.read_bytes()
    import pydicom

    # DICOM objects have identifiers and times of their own; a whole one ends in what it is of.
    found = pydicom.dcmread(path)
    if "PixelData" in found:
        return found.PixelData
    contours = found.ROIContourSequence
    return [[list(part.ContourData) for part in one.ContourSequence] for one in contours]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what tells that anything in the folder was touched."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                stat = os.lstat(os.path.join(place, name))
            except FileNotFoundError:
                continue
            found[os.path.join(place, name)] = stat.st_ino, stat.st_size
    return found


class Writing:
    """A forked process that writes once and then waits to be killed."""

    def __init__(self, writer: Writer, folder: Path) -> None:
        before = _state(folder)
        ready, tell = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                writer.write(folder, 1)
                os.write(tell, b"1")
                signal.pause()
            finally:
                os._exit(1)
        os.close(tell)
        self._ready = ready
        deadline = time.monotonic() + HANGS_S
        while _state(folder) == before and not self.ended():
            assert time.monotonic() < deadline, f"{writer.name} wrote nothing"
        self.began = time.monotonic()

    def ended(self, wait_s: float = 0.0) -> bool:
        return bool(select.select([self._ready], [], [], wait_s)[0])

    def finish(self) -> float:
        """Let it end; return how long it wrote."""
        assert self.ended(HANGS_S)
        assert os.read(self._ready, 1) == b"1", "it failed"
        return time.monotonic() - self.began

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        assert os.WIFSIGNALED(status), "it ended by itself before it was killed"
        os.close(self._ready)


# Threads of numerical libraries in this process, which the child never uses.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_killed_at_random_moments_each_file_is_old_absent_or_whole(writers, tmp_path):
    random = np.random.default_rng(6)
    whole, seconds = {}, {}
    for number, writer in enumerate(writers):
        for generation in (0, 1):
            folder = tmp_path / f"{number}-{generation}"
            folder.mkdir()
            writer.write(folder, generation)
            whole[writer.name, generation] = contents(folder)
        folder = tmp_path / f"{number}-timed"
        folder.mkdir()
        writing = Writing(writer, folder)
        seconds[writer.name] = writing.finish()
        writing.kill()
        assert contents(folder) == whole[writer.name, 1], f"{writer.name} differs by itself"
    torn = absent = new = 0
    enough = KILLS // 10
    # Go on until the moments were such as to test anything: a writer that was slow when it was
    # timed, on a busy machine, is done before most of them.
    for kill in count():
        if kill >= max(KILLS, 2 * len(writers)) and min(torn, absent, new) >= enough:
            break
        assert kill < 40 * KILLS, f"of {kill} kills: {torn} torn, {absent} absent, {new} new"
        writer, old = writers[kill % len(writers)], kill // len(writers) % 2 == 1
        folder = tmp_path / f"kill-{kill}"
        folder.mkdir()
        if old:
            writer.write(folder, 0)
        before = contents(folder)
        writing = Writing(writer, folder)
        time.sleep(random.uniform(0, seconds[writer.name]))
        writing.kill()
        after = contents(folder)
        wanted = whole[writer.name, 1]
        for name, content in after.items():
            assert content in (before.get(name), wanted.get(name)), f"{writer.name}: half a {name}"
        assert set(before) <= set(after), f"{writer.name}: an old file is gone"
        torn += any(_hidden(path, folder) for path in folder.rglob("*"))
        absent += not set(wanted) <= set(after)
        new += any(after.get(name) == content for name, content in wanted.items())


def test_a_writer_that_writes_in_place_would_be_found(tmp_path):
    """The test above can fail: what is not renamed into its place shows as half a file."""

    def in_place(folder: Path, number: int) -> None:
        with (folder / "plain").open("wb", buffering=0) as file:
            file.write(bytes([number]) * 1000)
            signal.pause()  # until it is killed, with the rest unwritten
            file.write(bytes([number]) * 1000)

    writing = Writing(Writer("in place", in_place), tmp_path)
    while not (tmp_path / "plain").stat().st_size:
        assert not writing.ended()
    writing.kill()
    assert len(contents(tmp_path)["plain"]) == 1000
