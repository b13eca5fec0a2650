import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from voxtrail.metrics import dice, iou, volume_ml

MASKS = arrays(bool, (2, 3, 4), elements=st.booleans())


def test_by_hand():
    prediction = np.zeros((2, 2, 2), dtype=bool)
    truth = prediction.copy()
    prediction[0] = True  # 4 voxels
    truth[:, 0] = True  # 4 voxels, 2 of them shared
    assert dice(prediction, truth) == 0.5
    assert iou(prediction, truth) == pytest.approx(2 / 6)


@pytest.mark.parametrize("measure", [dice, iou])
def test_empty_masks(measure):
    empty, full = np.zeros((1, 2, 3), dtype=bool), np.ones((1, 2, 3), dtype=bool)
    assert measure(empty, empty) == 1
    assert measure(empty, full) == measure(full, empty) == 0


@settings(deadline=None)  # wall-clock time says nothing on a shared machine
@given(MASKS, MASKS)
def test_symmetry_and_the_relation_of_both(prediction, truth):
    assert dice(prediction, truth) == dice(truth, prediction)
    overlap = iou(prediction, truth)
    assert dice(prediction, truth) == pytest.approx(2 * overlap / (1 + overlap))


def test_volume_counts_voxels_of_their_size():
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[:2, :3, :1] = True
    assert volume_ml(mask, (0.5, 2.0, 3.0)) == pytest.approx(6 * 3 / 1000)
    assert volume_ml(~mask & mask, (1, 1, 1)) == 0
