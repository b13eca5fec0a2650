import numpy as np
import pytest

from voxtrail.core.box import Box, Side, margin_vox

SCAN = (10, 20, 30)


def test_whole_is_the_scan():
    box = Box.whole(SCAN)
    assert box.shape == SCAN
    assert box.touching_sides(np.ones(SCAN, dtype=bool), Box.whole(SCAN)) == ()


def test_growth_moves_the_named_sides_and_stops_at_the_scan():
    box = Box((3, 5, 7), (6, 12, 20))
    grown = box.grown((2, 3, 50), [Side.LEFT, Side.ANTERIOR, Side.SUPERIOR], Box.whole(SCAN))
    assert grown == Box((1, 5, 7), (6, 15, 30))
    assert box.grown((9, 9, 9), [], Box.whole(SCAN)) == box


@pytest.mark.parametrize("side", Side)
def test_a_voxel_on_a_face_touches_that_side_alone(side):
    box = Box((3, 5, 7), (6, 12, 20))
    mask = np.zeros(box.shape, dtype=bool)
    middle = [size // 2 for size in box.shape]
    middle[side.axis] = -1 if side.upper else 0
    mask[tuple(middle)] = True
    assert box.touching_sides(mask, Box.whole(SCAN)) == (side,)


def test_a_side_of_the_scan_is_not_touched():
    box = Box((0, 5, 7), (6, 20, 20))
    mask = np.ones(box.shape, dtype=bool)
    expected = {Side.RIGHT, Side.POSTERIOR, Side.INFERIOR, Side.SUPERIOR}
    assert set(box.touching_sides(mask, Box.whole(SCAN))) == expected


def test_an_empty_mask_touches_nothing():
    box = Box((3, 5, 7), (6, 12, 20))
    assert box.touching_sides(np.zeros(box.shape, dtype=bool), Box.whole(SCAN)) == ()


def test_sides_are_those_of_the_body():
    # RAS+: indices grow to the right, to the front and upwards.
    assert [side.name for side in Side if side.upper] == ["RIGHT", "ANTERIOR", "SUPERIOR"]


def test_margins_are_rounded_up_but_not_by_rounding_errors():
    assert margin_vox(0.3, (0.1, 0.2, 0.4)) == (3, 2, 1)
    assert margin_vox(0, (0.1, 0.2, 0.4)) == (0, 0, 0)


def test_json_is_plain():
    assert Box((1, 2, 3), (4, 5, 6)).to_json() == {"start": [1, 2, 3], "stop": [4, 5, 6]}
