import numpy as np
import pytest

from voxtrail.metrics import SurfaceDistances, assd, hausdorff, hausdorff95, surface_dice

INF = np.inf


def distances(from_prediction, from_truth):
    return SurfaceDistances(np.array(from_prediction, float), np.array(from_truth, float))


def test_by_hand():
    some = distances([0, 1, 2, 3], [0, 5])
    assert hausdorff(some) == 5
    assert hausdorff95(some) == pytest.approx(4.75)  # of [0, 5]; of [0, 1, 2, 3] it is 2.85
    assert assd(some) == pytest.approx(11 / 6)
    assert surface_dice(some, 2.0) == pytest.approx(4 / 6)


@pytest.mark.parametrize("measure", [hausdorff, hausdorff95, assd])
def test_empty_masks(measure):
    assert measure(distances([], [])) == 0
    assert measure(distances([INF, INF], [])) is None
    assert measure(distances([], [INF])) is None


def test_surface_dice_of_empty_masks():
    assert surface_dice(distances([], []), 1.0) == 1
    assert surface_dice(distances([INF, INF], []), 1.0) == 0


def test_a_tolerance_includes_what_is_exactly_as_far():
    some = distances([2.0000002], [1.9999998])  # 2 mm, from an affine in float32
    assert surface_dice(some, 2.0) == 1
    assert surface_dice(some, 1.9) == 0
