"""What reading takes besides the voxels: for a large scan, that is what runs out first."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import voxtrail.io as vio
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import evaluate

SHAPE = (128, 128, 400)
#: Parts of the work take room that does not grow with the scan.
SLACK_BYTES = 2**20


@pytest.fixture(scope="module")
def labels() -> LabelMap:
    voxels = np.zeros(SHAPE, np.uint8, order="F")
    for label in range(1, 5):
        voxels[20 * label : 20 * label + 9, 30:50, [30 * label, 30 * label + 20]] = label
    return LabelMap.from_stored(voxels, np.eye(4))


def room_of(work) -> int:
    """Return the bytes that a piece of work takes at the most."""
    work()  # imports, and what is kept for later
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_scan_is_read_where_it_stays(suffix: str, tmp_path: Path) -> None:
    hu = np.random.default_rng(0).integers(-99, 99, SHAPE).astype(np.int16)
    vio.write(Volume.from_stored(hu, np.eye(4)), tmp_path / f"ct{suffix}")
    assert room_of(lambda: vio.read(tmp_path / f"ct{suffix}")) < hu.nbytes + 3 * SLACK_BYTES


def test_outlines_take_their_label_map_and_little_more(labels: LabelMap, tmp_path: Path) -> None:
    vio.write(labels, tmp_path / "drawn.nii.gz")
    room = room_of(lambda: vio.read_prompts(tmp_path / "drawn.nii.gz", labels))
    assert room < labels.voxels.nbytes + 3 * SLACK_BYTES


def test_scores_take_the_part_around_each_label(labels: LabelMap) -> None:
    assert room_of(lambda: evaluate(labels, labels)) < SLACK_BYTES
