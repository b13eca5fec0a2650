"""Every kind of noise on outlines of known size."""

from __future__ import annotations

import numpy as np
import pytest

from voxtrail.errors import OptionError
from voxtrail.study.noise import NOISES

PIXEL_MM = (1.0, 2.0)


def square() -> np.ndarray:
    mask = np.zeros((40, 30), dtype=bool)
    mask[10:30, 10:20] = True  # 20 mm x 20 mm
    return mask


def spoilt(spec: str, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    return NOISES.parse(spec).spoil(mask, PIXEL_MM, np.random.default_rng(seed))


@pytest.mark.parametrize("name", NOISES.members())
def test_an_outline_never_vanishes(name) -> None:
    dot = np.zeros((9, 9), dtype=bool)
    dot[0, 0] = True
    for mm in (0.5, 4, 50):
        assert spoilt(f"{name}:mm={mm}", dot).any()
        assert not spoilt(f"{name}:mm={mm}", np.zeros((9, 9), dtype=bool)).any()


@pytest.mark.parametrize("name", NOISES.members())
def test_equal_seeds_spoil_equally(name) -> None:
    spec = f"{name}:mm=3"
    assert (spoilt(spec, square()) == spoilt(spec, square())).all()


@pytest.mark.parametrize("name", NOISES.members())
def test_strength_is_above_zero(name) -> None:
    with pytest.raises(OptionError, match="noise without strength"):
        NOISES.parse(f"{name}:mm=0")


def test_dilated_and_eroded_move_the_edge_by_millimetres() -> None:
    # 4 mm: four rows and two columns on either side
    assert np.ptp(np.nonzero(spoilt("dilated:mm=4", square())), axis=1).tolist() == [27, 13]
    assert np.ptp(np.nonzero(spoilt("eroded:mm=4", square())), axis=1).tolist() == [11, 5]


def test_shifted_moves_by_its_strength() -> None:
    before = np.argwhere(square()).mean(axis=0)
    for seed in range(5):
        moved = spoilt("shifted:mm=6", square(), seed)
        assert moved.sum() == square().sum()
        step = (np.argwhere(moved).mean(axis=0) - before) * PIXEL_MM
        assert np.linalg.norm(step) == pytest.approx(6, abs=1.2)  # whole pixels


def test_jagged_strays_to_both_sides() -> None:
    found = spoilt("jagged:mm=2", square())
    assert (found & ~square()).any()
    assert (square() & ~found).any()
    assert 0.7 < found.sum() / square().sum() < 1.3
