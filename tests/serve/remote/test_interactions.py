"""On which slice something was drawn, in whatever view."""

from __future__ import annotations

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.errors import PromptError
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.interactions import (
    MAX_SLICES,
    box_of,
    middle_slice,
    outline,
    painted,
    pixel_of,
    slice_box,
    voxel_of,
)

FRAME = ArrayFrame.of((9, 5, 4), (2.5, 0.7, 0.7))


@pytest.mark.parametrize(
    ("along", "axis"), [(0, Axis.AXIAL), (1, Axis.CORONAL), (2, Axis.SAGITTAL)]
)
def test_a_lasso_on_any_plane_is_on_the_slice_that_it_was_drawn_on(along, axis):
    drawn = np.zeros(FRAME.shape, bool)
    index = [slice(1, 4), slice(1, 3), slice(0, 2)]
    index[along] = slice(2, 3)
    drawn[tuple(index)] = True
    one = outline(painted(drawn, (0, 0, 0), FRAME))
    assert one.axis is axis
    whole = axis.to_stack(FRAME.to_scan(drawn))
    assert [n for n, mask in enumerate(whole) if mask.any()] == [one.slice_index]
    np.testing.assert_array_equal(one.mask, whole[one.slice_index])
    # the same as a part of the array, as clients send it
    start = [n.start for n in index]
    part = outline(painted(drawn[tuple(index)], start, FRAME))
    assert (part.axis, part.slice_index) == (one.axis, one.slice_index)
    np.testing.assert_array_equal(part.mask, one.mask)


def test_a_straight_line_lies_in_the_preferred_direction():
    drawn = np.zeros(FRAME.shape, bool)
    drawn[3, 2, 1:3] = True
    assert painted(drawn, (0, 0, 0), FRAME)[0].axis is Axis.AXIAL
    assert painted(drawn, (0, 0, 0), FRAME, Axis.CORONAL)[0].axis is Axis.CORONAL
    assert painted(drawn, (0, 0, 0), FRAME, Axis.SAGITTAL)[0].axis is Axis.AXIAL


def test_a_thick_scribble_lies_on_several_slices_and_an_outline_may_not():
    drawn = np.zeros(FRAME.shape, bool)
    drawn[3:5, 1:4, 0:3] = True
    found = painted(drawn, (0, 0, 0), FRAME)
    assert [one.slice_index for one in found] == [3, 4]
    with pytest.raises(PromptError, match="one slice"):
        outline(found)


@pytest.mark.parametrize(
    ("mask", "start"),
    [
        (np.zeros((2, 2, 2), bool), (0, 0, 0)),
        (np.ones((1, 2, 2), bool), (9, 0, 0)),
        (np.ones((1, 2, 2), bool), (-1, 0, 0)),
        (np.ones((1, 2, 2), bool), (0, 4, 0)),
    ],
)
def test_nothing_and_what_lies_outside_is_refused(mask, start):
    with pytest.raises(PromptError):
        painted(mask, start, FRAME)


def test_a_lump_is_on_no_slice():
    side = MAX_SLICES + 1
    large = ArrayFrame.of((side, side, side))
    with pytest.raises(PromptError, match="no slice"):
        painted(np.ones((side, side, side), bool), (0, 0, 0), large)


def test_boxes_as_napari_and_slicer_send_them():
    assert box_of([[3.0, 4.0], [0.6, 3.4], [-0.5, 2.2]], FRAME) == Box((3, 1, 0), (4, 3, 2))
    flat = slice_box(Box((3, 1, 0), (4, 3, 2)), FRAME)
    # x runs to the left and y to the back, as columns and rows do
    assert (flat.axis, flat.slice_index, flat.box_xyxy) == (Axis.AXIAL, 3, (0, 1, 1, 2))
    assert slice_box(Box((3, 1, 0), (5, 3, 2)), FRAME) is None
    middle = middle_slice(FRAME.box_in_scan(Box((2, 1, 0), (7, 3, 2))), FRAME)
    assert (middle.axis, middle.slice_index, middle.box_xyxy) == (Axis.AXIAL, 4, (0, 1, 1, 2))


@pytest.mark.parametrize(
    "bounds",
    [
        [[0, 1], [0, 1]],
        [[0, 1], [0, 1], [0]],
        [[2, 1], [0, 1], [0, 1]],
        [[9, 10], [0, 1], [0, 1]],
        [[float("nan"), 1], [0, 1], [0, 1]],
        [[0, 1e300], [0, 1], [0, 1]],
    ],
)
def test_a_box_that_is_none_is_refused(bounds):
    with pytest.raises(PromptError):
        box_of(bounds, FRAME)


def test_points_round_to_voxels_and_stay_inside():
    assert voxel_of([3.4, 0.0, 3.0], FRAME) == FRAME.voxel((3, 0, 3))
    assert pixel_of(FRAME.voxel((3, 2, 1)), Axis.AXIAL, FRAME) == (1.0, 2.0)
    for point in ([9, 0, 0], [-1, 0, 0], [0, 0], [0, 0, 0, 0], [float("inf"), 0, 0]):
        with pytest.raises(PromptError):
            voxel_of(point, FRAME)
