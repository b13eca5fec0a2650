import numpy as np
import pytest

from voxtrail.errors import OptionError
from voxtrail.preprocess.clahe import Clahe, equalised
from voxtrail.preprocess.window import Window
from voxtrail.preprocess.window_clahe import WindowClahe


@pytest.fixture
def hu():
    """Soft tissue around a bone, with noise, and one slice of air."""
    rng = np.random.default_rng(0)
    hu = rng.normal(40, 15, (3, 64, 48))
    hu[:, 20:40, 10:30] += 500
    hu[2] = -1000
    return hu


def test_low_contrast_is_raised(hu):
    windowed, levelled = Window().apply(hu), WindowClahe().apply(hu)
    tissue = np.s_[0, 44:, 32:]
    assert levelled[tissue].std() > 1.5 * windowed[tissue].std()


def test_an_empty_slice_stays_black(hu):
    assert WindowClahe().apply(hu)[2].max() < 0.02


def test_grey_without_detail_keeps_about_its_level():
    grey = np.full((64, 64), 0.5, dtype=np.float32)
    assert equalised(grey, 0.01, 8) == pytest.approx(grey, abs=0.02)


def test_slices_are_equalised_one_by_one(hu):
    whole = WindowClahe().apply(hu)
    np.testing.assert_array_equal(WindowClahe().apply(hu[1:2]), whole[1:2])


def test_a_higher_limit_gives_more_contrast(hu):
    tissue = np.s_[0, 44:, 32:]
    low, high = (Clahe(clip_limit=limit).apply(hu)[tissue].std() for limit in (0.005, 0.05))
    assert high > low


@pytest.mark.parametrize("options", [{"clip_limit": 0.0}, {"clip_limit": 1.1}, {"tiles": 0}])
@pytest.mark.parametrize("kind", [Clahe, WindowClahe])
def test_settings_out_of_range_are_refused(kind, options):
    with pytest.raises(OptionError, match="clip_limit above 0 and at most 1, tiles 1 or more"):
        kind(**options)


def test_a_window_that_shows_nothing_is_refused_here_too():
    with pytest.raises(OptionError, match="width above 0"):
        WindowClahe(width_hu=0)
