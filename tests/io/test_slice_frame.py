"""How files number slices and pixels, against answers worked by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.io.prompts import run_length

#: Stored axis 0 runs downwards (4 voxels), 1 to the right (5), 2 to the back (6).
AFFINE = np.array([[0, 1.0, 0, 0], [0, 0, -1, 0], [-1, 0, 0, 0], [0, 0, 0, 1]])
GRID = Grid((4, 5, 6), AFFINE)


def test_an_axial_slice_is_counted_along_the_stored_axis_that_runs_along_the_body():
    frame = SliceFrame.of(GRID, Axis.AXIAL)
    assert frame.slices == 4
    assert frame.slice_number(0) == 3  # the stored first slice is the highest
    assert frame.shape_xy == (5, 6)  # x along stored axis 1, y along stored axis 2
    assert frame.shape_rows_columns == (6, 5)
    # Columns run to the patient's left, against stored axis 1; rows to the back, with axis 2.
    assert frame.point_to_slice((0, 0)) == (4, 0)
    assert frame.box_to_slice((0, 1, 2.5, 3)) == (1.5, 1, 4, 3)


def test_a_coronal_slice_has_x_along_the_lower_numbered_axis():
    frame = SliceFrame.of(GRID, Axis.CORONAL)
    assert (frame.slices, frame.shape_xy) == (6, (4, 5))  # x runs down the body here
    assert frame.slice_number(0) == 5
    # Rows run downwards with stored axis 0; columns to the left, against stored axis 1.
    assert frame.point_to_slice((3, 1)) == (3, 3)
    mask = np.zeros((4, 5), bool)
    mask[3, 1] = True
    assert np.argwhere(frame.mask_to_slice(mask)).tolist() == [[3, 3]]


def test_everything_is_undone_by_its_counterpart(order, reordered):
    stored, affine = reordered(np.zeros((4, 5, 6)), np.diag([1.0, 2.0, 3.0, 1.0]), order)
    grid = Grid(stored.shape, affine)
    for axis in Axis:
        frame = SliceFrame.of(grid, axis)
        mask = np.random.default_rng(0).random(frame.shape_xy) < 0.5
        np.testing.assert_array_equal(frame.mask_to_file(frame.mask_to_slice(mask)), mask)
        assert frame.mask_to_slice(mask).shape == frame.shape_rows_columns
        assert frame.point_to_file(frame.point_to_slice((1, 2.5))) == (1, 2.5)
        assert frame.box_to_file(frame.box_to_slice((0, 1, 2, 2.5))) == (0, 1, 2, 2.5)
        assert frame.slice_number(frame.slice_number(1)) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_run_lengths_give_the_mask_again(nx, ny, seed):
    mask = np.random.default_rng(seed).random((nx, ny)) < np.random.default_rng(seed + 1).random()
    rle = run_length.encode(mask)
    assert sum(rle["counts"]) == nx * ny
    assert all(count > 0 for count in rle["counts"][1:])
    np.testing.assert_array_equal(run_length.decode(rle, (nx, ny), "here"), mask)
