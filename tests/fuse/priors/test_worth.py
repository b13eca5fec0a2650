import numpy as np
import pytest

from voxtrail.fuse.priors.worth import typical, worth

SQUARE = np.zeros((20, 20), dtype=bool)
SQUARE[6:14, 5:15] = True
PIXEL_MM = (1.0, 1.0)


def test_a_witness_that_tosses_a_coin_is_worth_nothing():
    told = np.random.default_rng(0).normal(size=SQUARE.shape)
    assert worth(np.where(told > 0, 1.0, -1.0), SQUARE, PIXEL_MM) < 0.3


def test_a_witness_that_says_the_same_everywhere_is_worth_nothing():
    # As many pixels of the surface are inside as outside, but for the four corners.
    assert worth(np.full(SQUARE.shape, -1.0), SQUARE, PIXEL_MM) == pytest.approx(0, abs=0.15)
    assert worth(np.full(SQUARE.shape, 1.0), SQUARE, PIXEL_MM) == 0


def test_worth_by_hand():
    # Told right on three pixels of four along the surface: log-odds log 3 a unit.
    told = np.where(SQUARE, 2.0, -2.0)
    border = np.argwhere(np.abs(_distance(SQUARE)) == 1)
    for row, column in border[::4]:
        told[row, column] *= -1
    share = 1 - len(border[::4]) / len(border)
    expected = np.log(share / (1 - share)) / 2
    assert worth(told, SQUARE, PIXEL_MM) == pytest.approx(expected, rel=0.02)


def test_worth_is_a_unit_of_what_was_told():
    rng = np.random.default_rng(1)
    told = np.where(SQUARE, 1.0, -1.0) + rng.normal(size=SQUARE.shape)
    once, tenfold = (worth(size * told, SQUARE, PIXEL_MM) for size in (1, 10))
    assert once == pytest.approx(10 * tenfold, rel=0.05)


def test_a_witness_that_is_always_right_is_worth_much_and_finite():
    assert 3 < worth(np.where(SQUARE, 1.0, -1.0), SQUARE, PIXEL_MM) < 100


def test_the_typical_worth_is_drawn_to_what_was_thought_before():
    assert typical([], before=0.5, outlines=2) == 0.5
    assert typical([2.0], before=0.0, outlines=1) == 1.0
    assert typical([1.0, 9.0, 3.0], before=0.5, outlines=2) == 2.0  # (3 x 3 + 2 x 0.5) / 5


def _distance(mask):
    from voxtrail.shape import signed_distance_mm

    return signed_distance_mm(mask, PIXEL_MM)
