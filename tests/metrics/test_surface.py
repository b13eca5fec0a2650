import numpy as np
import pytest

from voxtrail.metrics import surface_distances

SPACING_MM = (2.0, 3.0, 5.0)


def voxels(*places, shape=(5, 6, 7)):
    mask = np.zeros(shape, dtype=bool)
    for place in places:
        mask[place] = True
    return mask


def test_two_voxels_2_mm_apart():
    distances = surface_distances(voxels((1, 1, 1)), voxels((2, 1, 1)), SPACING_MM)
    assert distances.from_prediction.tolist() == distances.from_truth.tolist() == [2.0]


def test_the_way_is_straight():
    distances = surface_distances(voxels((1, 1, 1)), voxels((3, 2, 1)), SPACING_MM)
    assert distances.from_prediction.tolist() == [5.0]  # 2 * 2 mm and 3 mm at a right angle


def test_one_distance_per_surface_voxel_of_either_mask():
    prediction, truth = voxels((0, 0, 0)), voxels((0, 0, 0), (0, 0, 2), (4, 0, 0))
    distances = surface_distances(prediction, truth, SPACING_MM)
    assert distances.from_prediction.tolist() == [0.0]
    assert sorted(distances.from_truth) == [0.0, 8.0, 10.0]


def test_the_inside_is_no_surface():
    block = voxels(np.s_[1:4, 1:4, 1:4])
    distances = surface_distances(block, voxels((2, 2, 2)), SPACING_MM)
    assert distances.from_prediction.size == 26
    # From a voxel that lies inside the other mask to that mask's surface, not 0.
    assert distances.from_truth.tolist() == [2.0]


def test_a_mask_that_the_array_cuts_has_a_surface_there():
    whole = np.ones((3, 3, 3), dtype=bool)
    assert surface_distances(whole, whole, SPACING_MM).from_truth.size == 26


@pytest.mark.parametrize("spacing", [(1, 1, 1), SPACING_MM])
def test_empty_masks(spacing):
    empty, one = voxels(), voxels((1, 1, 1))
    both = surface_distances(empty, empty, spacing)
    assert both.from_prediction.size == both.from_truth.size == 0
    missed = surface_distances(empty, one, spacing)
    assert missed.from_prediction.size == 0
    assert missed.from_truth.tolist() == [np.inf]
    assert surface_distances(one, empty, spacing).from_prediction.tolist() == [np.inf]


def test_masks_are_left_as_they_are():
    prediction, truth = voxels(np.s_[1:4, 1:4, 1:4]), voxels((2, 2, 2))
    before = prediction.copy()
    surface_distances(prediction, truth, SPACING_MM)
    np.testing.assert_array_equal(prediction, before)
