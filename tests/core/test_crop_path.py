"""Windows that may move from slice to slice: what is cut comes back to the voxel."""

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Side
from voxtrail.core.crop_path import CropPath
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt

SHAPE = (9, 11, 13)
BOUNDS = Box.whole(SHAPE)


def moving(axis: Axis) -> CropPath:
    starts = ((0, 1), (1, 1), (2, 3), (4, 0))
    return CropPath(axis, 2, (4, 5), starts)


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 1000, SHAPE)


@pytest.mark.parametrize("axis", Axis)
def test_a_box_is_the_path_that_does_not_move(axis, volume):
    box = Box((1, 2, 3), (6, 9, 8))
    path = CropPath.of_box(box, axis)
    assert not path.moves
    assert path.hull() == box
    np.testing.assert_array_equal(path.cut(volume), axis.to_stack(volume[box.slices]))


@pytest.mark.parametrize("axis", Axis)
def test_what_is_cut_is_added_back_where_it_was(axis, volume):
    path = moving(axis)
    assert path.moves
    hull = path.hull()
    total = np.zeros(hull.shape, int)
    path.add(path.cut(volume), total, hull)
    expected = np.zeros(SHAPE, int)
    for index in range(path.first, path.stop):
        here = path.box(index).slices
        expected[here] = volume[here]
    np.testing.assert_array_equal(total, expected[hull.slices])


@pytest.mark.parametrize("axis", Axis)
def test_a_part_is_put_back_where_it_was_taken(axis):
    path = moving(axis)
    part = path.part(3, 5)
    assert path.with_part(part) == path
    still = CropPath(axis, 3, path.size, ((0, 0), (0, 0)))
    assert path.with_part(still).starts == (path.starts[0], (0, 0), (0, 0), path.starts[3])


@pytest.mark.parametrize("axis", Axis)
def test_what_lies_outside_the_box_is_left_out(axis, volume):
    path = moving(axis)
    box = Box((1, 2, 3), (4, 4, 6))
    total, whole = np.zeros(box.shape, int), np.zeros(SHAPE, int)
    path.add(path.cut(volume), total, box)
    path.add(path.cut(volume), whole, BOUNDS)
    np.testing.assert_array_equal(total, whole[box.slices])


@pytest.mark.parametrize("axis", Axis)
def test_prompts_mark_the_same_voxels_in_the_window(axis, volume):
    path = moving(axis)
    stack = axis.to_stack(volume)
    for index in range(path.first, path.stop):
        rows, columns = path.pixels(index, SHAPE)
        at, mask = path.place_of(MaskPrompt(1, axis, index, stack[index] > 500), SHAPE)
        assert (at, mask.slice_index) == (index - path.first, index - path.first)
        np.testing.assert_array_equal(mask.mask, path.cut(volume)[at] > 500)
        corner = (columns.start + 1, rows.start + 2)
        _, point = path.place_of(PointPrompt(1, axis, index, (corner,), (True,)), SHAPE)
        assert point.points_xy == ((1, 2),)
        _, box = path.place_of(BoxPrompt(1, axis, index, (*corner, *corner)), SHAPE)
        assert box.box_xyxy == (1, 2, 1, 2)


@pytest.mark.parametrize("axis", Axis)
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("upper", [False, True])
def test_a_mask_at_the_edge_touches_that_side(axis, which, upper):
    path = CropPath(axis, 0, (4, 4), ((2, 2), (3, 2)))
    masks = np.zeros((2, 4, 4), bool)
    edge = [1, 1, 1]
    edge[1 + which] = 0 if upper else 3  # rows and columns run against the body axes
    masks[tuple(edge)] = True
    along = (axis.row_axis, axis.column_axis)[which]
    assert path.touching(masks, BOUNDS) == {Side((along, upper))}


def test_an_edge_at_the_end_of_the_bounds_is_not_touched():
    path = CropPath(Axis.AXIAL, 0, (4, 4), ((7, 2), (3, 2)))
    masks = np.ones((2, 4, 4), bool)
    everywhere = {Side.LEFT, Side.RIGHT, Side.POSTERIOR, Side.ANTERIOR}
    assert path.touching(masks, BOUNDS) == everywhere  # the second slice's window can still grow
    assert path.part(0, 1).touching(masks[:1], BOUNDS) == everywhere - {Side.ANTERIOR}


def test_a_box_grows_as_a_box_does():
    box = Box((1, 2, 3), (6, 9, 8))
    sides = (Side.LEFT, Side.ANTERIOR, Side.SUPERIOR)
    grown = box.grown((3, 1, 2), sides, BOUNDS)
    path = CropPath.of_box(box, Axis.AXIAL).grown((3, 1, 2), sides, BOUNDS)
    assert path == CropPath.of_box(grown, Axis.AXIAL).part(3, 8)


def test_a_moving_window_keeps_one_size_and_stays_inside():
    path = moving(Axis.AXIAL)
    grown = path.grown((3, 3, 3), tuple(Side), BOUNDS)
    assert grown.size == (10, 8 + 1)
    for index in range(path.first, path.stop):
        assert BOUNDS.contains(grown.box(index))
        assert grown.box(index).contains(path.box(index))


def test_what_windows_lack_of_a_box_goes_slice_by_slice():
    path = moving(Axis.AXIAL)
    assert path.short_of(path.box(3)) == set()
    # Along y the windows begin at 0 to 4 and are 4 long, along x at 0 to 3 and 5 long.
    assert path.short_of(path.box(3).with_range(Axis.AXIAL, 2, 6)) == {
        Side.POSTERIOR,
        Side.ANTERIOR,
        Side.LEFT,
        Side.RIGHT,
    }
    # Slices that the path does not cover say nothing.
    assert path.short_of(Box((0, 0, 8), (9, 11, 13))) == set()


@pytest.mark.parametrize("path", [moving(Axis.CORONAL), CropPath.of_box(BOUNDS, Axis.SAGITTAL)])
def test_json_holds_it_all(path):
    assert CropPath.from_json(path.to_json()) == path
