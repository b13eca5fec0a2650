"""What is read straight through in one order of memory is the same in any other."""

from __future__ import annotations

import numpy as np
import pytest

from voxtrail.core.box import Box
from voxtrail.core.digest import voxels_digest
from voxtrail.core.volume import LabelMap, Volume

SHAPE = (5, 7, 11)
ORDERS = {
    "as files": lambda voxels: np.asfortranarray(voxels),
    "as NumPy": lambda voxels: np.ascontiguousarray(voxels),
    "reversed": lambda voxels: np.asfortranarray(voxels[::-1, :, ::-1])[::-1, :, ::-1],
    "another axis first": lambda voxels: np.moveaxis(
        np.ascontiguousarray(np.moveaxis(voxels, 1, 0)), 0, 1
    ),
}
VOXELS = np.random.default_rng(0).integers(-99, 99, SHAPE).astype(np.int16)


@pytest.mark.parametrize("order", ORDERS)
def test_a_scan_is_known_by_its_voxels_whatever_their_order(order: str) -> None:
    def digest(voxels: np.ndarray) -> str:
        return voxels_digest(Volume.from_stored(voxels, np.eye(4)))

    kept = ORDERS[order](VOXELS)
    np.testing.assert_array_equal(kept, VOXELS)
    assert digest(kept) == digest(VOXELS)
    changed = VOXELS.copy()
    changed[4, 6, 10] += 1
    assert digest(ORDERS[order](changed)) != digest(VOXELS)
    assert digest(np.swapaxes(VOXELS, 0, 2)) != digest(VOXELS)


def test_a_scan_is_read_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = Volume.from_stored(VOXELS, np.eye(4))
    first = voxels_digest(volume)
    monkeypatch.setattr("voxtrail.core.digest.hashlib", None)
    assert voxels_digest(volume) == first


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("share", [0.003, 0.05, 0.9, 0.0])
def test_boxes_and_labels_are_those_of_each_axis_by_itself(order: str, share: float) -> None:
    rng = np.random.default_rng(7)
    labels = np.where(rng.random(SHAPE) < share, rng.integers(1, 400, SHAPE), 0).astype(np.uint16)
    kept = ORDERS[order](labels)
    found = LabelMap.from_stored(kept, np.eye(4))
    assert found.labels() == tuple(int(one) for one in np.unique(labels) if one)
    each = found.boxes()
    assert tuple(each) == found.labels()
    for label, one in each.items():
        where = np.argwhere(labels == label)
        assert (one.start, one.stop) == (tuple(where.min(0)), tuple(where.max(0) + 1))
        np.testing.assert_array_equal(found.mask(label, one), (labels == label)[one.slices])
    assert Box.around(kept) == Box.around(kept != 0)
    box = Box.around(kept != 0)
    filled = np.argwhere(labels)
    if not len(filled):
        assert box is None
        return
    assert box is not None
    assert (box.start, box.stop) == (tuple(filled.min(0)), tuple(filled.max(0) + 1))
