import sys

import numpy as np
import pytest

from voxtrail.baselines.morphological import Morphological
from voxtrail.errors import OptionError

# ITK's own, when it loads.
pytestmark = pytest.mark.filterwarnings("ignore:builtin type [sS]wig:DeprecationWarning")


def square(half, center=(10, 10), shape=(21, 25)):
    mask = np.zeros(shape, dtype=bool)
    row, column = center
    mask[row - half : row + half + 1, column - half : column + half + 1] = True
    return mask


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "itk", None)
    with pytest.raises(OptionError, match="pip install itk-morphologicalcontourinterpolation"):
        Morphological().fill(square(2), square(4), 2, (1.0, 1.0))


class TestWithItk:
    @pytest.fixture(autouse=True)
    def _itk(self):
        pytest.importorskip("itk", reason="itk-morphologicalcontourinterpolation is not installed")

    @pytest.mark.parametrize("distance_transform", [True, False])
    def test_a_square_grows_through_the_sizes_between(self, distance_transform):
        method = Morphological(distance_transform=distance_transform)
        filled = method.fill(square(2), square(6), 4, (1.0, 1.0))
        assert filled.shape == (3, 21, 25)
        areas = filled.sum(axis=(1, 2))
        assert 25 < areas[0] < areas[1] < areas[2] < 169
        assert all((mask & ~square(6)).sum() == (square(2) & ~mask).sum() == 0 for mask in filled)

    def test_a_square_that_moves_is_carried_along(self):
        filled = Morphological().fill(square(2, (10, 8)), square(2, (10, 12)), 4, (1.0, 1.0))
        centers = [np.argwhere(mask).mean(axis=0)[1] for mask in filled]
        np.testing.assert_allclose(centers, [9, 10, 11], atol=0.5)
