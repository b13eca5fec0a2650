import numpy as np
import pytest

from voxtrail.errors import OptionError
from voxtrail.preprocess.window import NAMED_WINDOWS, Window


def test_the_ends_of_the_window_are_black_and_white():
    hu = np.array([-2000, -500, -499, 400, 1300, 3000], dtype=np.int16).reshape(1, 2, 3)
    expected = [0, 0, 1 / 1800, 0.5, 1, 1]
    np.testing.assert_allclose(Window().apply(hu).ravel(), expected, atol=1e-6)


def test_steps_below_a_256th_survive():
    grey = Window().apply(np.array([[[100.0, 101.0]]]))
    assert grey[0, 0, 1] > grey[0, 0, 0]


def test_a_voxel_does_not_depend_on_its_neighbours():
    hu = np.random.default_rng(0).normal(0, 500, (4, 5, 6))
    np.testing.assert_array_equal(Window().apply(hu)[1:2, 2:4], Window().apply(hu[1:2, 2:4]))


def test_the_named_windows_are_the_sourced_ones():
    settings = {name: (w.level_hu, w.width_hu) for name, w in NAMED_WINDOWS.items()}
    assert settings == {
        "bone": (400, 1800),
        "soft": (40, 400),
        "lung": (-600, 1500),
        "brain": (40, 80),
    }


@pytest.mark.parametrize(
    ("level", "width"), [(0, 0), (0, -1), (float("nan"), 1), (0, float("inf"))]
)
def test_a_window_that_shows_nothing_is_refused(level, width):
    with pytest.raises(OptionError, match="accepted: a finite level and a width above 0"):
        Window(level, width)
