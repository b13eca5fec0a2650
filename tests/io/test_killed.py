"""A process that is killed while it writes leaves the old file, none, or the whole new one.

The process is forked from this one, which has everything imported: each kill costs what it takes
to write a few files.
"""

import os
import signal
import time

import numpy as np
import pytest

import voxtrail.io as vio
from voxtrail.core.volume import LabelMap

KILLS = 50

#: Longest wait before a kill, in writes.
LONGEST_WRITES = 2.5

SHAPE = (60, 50, 40)


def filled(value: int) -> LabelMap:
    """Return noise that gzip cannot shrink to nothing, and that tells its number."""
    noise = np.random.default_rng(value).integers(0, 200, SHAPE).astype(np.uint8)
    noise[0, 0, 0] = value
    return LabelMap.from_stored(noise, np.diag([1.0, 2.0, 3.0, 1.0]))


def write_for_ever(maps, path) -> None:
    number = 0
    while True:
        number += 1
        vio.write(maps[number % len(maps)], path, force=True)


def killed_after(seconds: float, work, *arguments) -> None:
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(tell, b"1")
            work(*arguments)
        finally:
            os._exit(1)
    os.read(ready, 1)
    os.close(ready)
    os.close(tell)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it ended by itself before it was killed"


def seconds_a_write(maps, path) -> float:
    vio.write(maps[0], path)  # imports what it needs
    start = time.perf_counter()
    for one in maps:
        vio.write(one, path, force=True)
    return (time.perf_counter() - start) / len(maps)


# Threads of numerical libraries in this process, which the child never uses.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("suffix", [".nii.gz", ".seg.nrrd"])
def test_killed_at_random_moments_a_file_is_old_absent_or_whole(suffix, tmp_path):
    maps = [filled(number) for number in (201, 202, 203)]
    path = tmp_path / f"labels{suffix}"
    longest_s = LONGEST_WRITES * seconds_a_write(maps, path)
    random = np.random.default_rng(6)
    absent = partial = 0
    for kill in range(KILLS // 2):
        if kill % 2:
            # Half begin with a file and half without.
            path.unlink(missing_ok=True)
        killed_after(random.uniform(0, longest_s), write_for_ever, maps, path)
        if not path.exists():
            absent += 1
        else:
            read = vio.read_labels(path)
            (expected,) = [m for m in maps if m.voxels[0, 0, 0] == read.voxels[0, 0, 0]]
            np.testing.assert_array_equal(read.voxels, expected.voxels)
        others = [left for left in tmp_path.iterdir() if left != path]
        assert all(left.name.startswith(".partial-") for left in others)
        partial += bool(others)
        for left in others:
            left.unlink()
    # Otherwise the moments were not such as to test anything.
    assert partial > 0
    assert absent > 0
