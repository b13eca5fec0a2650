"""Outlines enclose the centres of a mask's pixels and no other, holes and islands included."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy.ndimage import binary_fill_holes, label

from voxtrail.io.contours import outlines


def enclosed(lines, shape) -> np.ndarray:
    """Fill by matplotlib's rule (the winding number is not 0), line upon line."""
    rows, columns = np.indices(shape)
    centres = np.column_stack([columns.ravel(), rows.ravel()])
    filled = np.zeros(shape, bool)
    for line in lines:
        filled ^= Path(line).contains_points(centres).reshape(shape)
    return filled


def test_a_ring_is_one_line_with_a_channel():
    mask = np.zeros((9, 12), bool)
    mask[1:8, 2:10] = True
    mask[3:5, 4:6] = mask[3, 8] = False
    (line,) = outlines(mask)
    np.testing.assert_array_equal(enclosed([line], mask.shape), mask)
    # Worked by hand: 7 + 8 + 7 + 8 points around the block, 8 and 4 around the holes; each channel
    # passes its two ends twice.
    assert len(line) == 30 + 8 + 4 + 2 * 2


def test_parts_apart_have_a_line_each_and_nothing_has_none():
    mask = np.zeros((6, 6), bool)
    assert outlines(mask) == []
    mask[0, 0] = mask[3:5, 2:5] = True
    assert len(outlines(mask)) == 2


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32), st.booleans())
def test_any_mask_is_enclosed_to_the_pixel(rows, columns, seed, full):
    random = np.random.default_rng(seed)
    mask = random.random((rows, columns)) < random.random()
    if full:
        mask = binary_fill_holes(mask)
    lines = outlines(mask)
    np.testing.assert_array_equal(enclosed(lines, mask.shape), mask)
    assert len(lines) <= label(mask)[1] or not mask.any()
