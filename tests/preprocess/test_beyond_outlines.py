"""Windows that go after the mask of the slice before, worked by hand on every axis."""

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.crop_path import CropPath
from voxtrail.preprocess.beyond_outlines import follow_mask

SHAPE = (40, 50, 60)
BOUNDS = Box.whole(SHAPE)
#: Voxels along the RAS+ axes.
MARGIN = (4, 4, 4)


def still(axis, start=(10, 20), size=(11, 11)):
    return CropPath(axis, 0, size, (start,) * SHAPE[axis.value])


def mask_around(path, slice_index, row, column):
    """Return the mask, in its window, of 3 x 3 voxels around one voxel (RAS+)."""
    volume = np.zeros(SHAPE, dtype=bool)
    where: list[slice | int] = [0, 0, 0]
    where[path.axis.value] = slice_index
    where[path.axis.row_axis] = slice(row - 1, row + 2)
    where[path.axis.column_axis] = slice(column - 1, column + 2)
    volume[tuple(where)] = True
    return path.cut(volume)[slice_index - path.first]


@pytest.mark.parametrize("axis", Axis)
@pytest.mark.parametrize("towards", [1, -1])
def test_windows_ahead_move_so_far_that_the_mask_is_within_the_slack(axis, towards):
    path = still(axis)
    # The window's centre is voxel 15, 25; the mask's 18, 21; two voxels of slack.
    moved = follow_mask(path, 12, mask_around(path, 12, 18, 21), towards, MARGIN, BOUNDS)
    ahead = range(13, len(path)) if towards > 0 else range(12)
    for index in range(len(path)):
        assert moved.starts[index] == ((11, 18) if index in ahead else (10, 20))


def test_within_the_slack_nothing_moves():
    path = still(Axis.AXIAL)
    assert follow_mask(path, 12, mask_around(path, 12, 17, 23), 1, MARGIN, BOUNDS) is path


def test_without_a_mask_nothing_moves():
    path = still(Axis.AXIAL)
    assert follow_mask(path, 12, np.zeros((11, 11), dtype=bool), 1, MARGIN, BOUNDS) is path


def test_one_slice_moves_the_window_by_no_more_than_the_margin():
    path = still(Axis.AXIAL, start=(10, 5), size=(31, 31))
    # The window's centre is voxel 25, 20; the mask lies 12 further: ten beyond the slack.
    moved = follow_mask(path, 12, mask_around(path, 12, 37, 20), 1, MARGIN, BOUNDS)
    assert moved.starts[13] == (14, 5)


def test_windows_stay_within_the_bounds():
    path = still(Axis.AXIAL, start=(10, 28))
    bounds = Box((0, 0, 0), (40, 22, 60))
    # Rows may reach 22, one further than now; columns 40, one further than now.
    moved = follow_mask(path, 12, mask_around(path, 12, 19, 37), 1, MARGIN, bounds)
    assert moved.starts[13] == (11, 29)


def test_from_slice_to_slice_it_keeps_up_with_a_structure_that_moves():
    path = still(Axis.AXIAL)
    for index in range(12, 20):
        centre = 15 + 2 * (index - 12)
        path = follow_mask(path, index, mask_around(path, index, centre, 25), 1, MARGIN, BOUNDS)
    # Two voxels of slack behind: the centre on slice 19 is 29, the window's 27 on the next.
    assert path.starts[20] == (22, 20)
    assert path.starts[:13] == ((10, 20),) * 13
