"""Outlines enclose the centres of a mask's pixels and no other, holes and islands included."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy.ndimage import binary_fill_holes, label

from voxtrail.io.dicom.contours import filled, outlines


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
    np.testing.assert_array_equal(filled(lines, mask.shape), mask)
    assert len(lines) <= label(mask)[1] or not mask.any()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 40), st.integers(1, 3))
def test_any_outlines_are_filled_by_the_even_odd_rule(seed, points, lines):
    """Crossing themselves and each other, and beyond the slice; worked pixel by pixel."""
    random = np.random.default_rng(seed)
    drawn = [random.uniform(-5, 17, (points, 2)) for _ in range(lines)]
    expected = np.zeros((9, 12), bool)
    for row, column in np.ndindex(9, 12):
        crossed = 0
        for line in drawn:
            for (x, y), (x_next, y_next) in zip(line, np.roll(line, -1, axis=0), strict=True):
                if (y <= row) != (y_next <= row):
                    crossed += x + (row - y) / (y_next - y) * (x_next - x) < column
        expected[row, column] = crossed % 2
    np.testing.assert_array_equal(filled(drawn, (9, 12)), expected)


def test_outlines_of_many_edges_are_filled_in_parts(monkeypatch):
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    line = np.column_stack([np.cos(angles), np.sin(angles)]) * 8.3 + 10
    whole = filled([line], (20, 21))
    rows, columns = np.indices((20, 21))
    np.testing.assert_array_equal(whole, np.hypot(rows - 10, columns - 10) < 8.3)
    monkeypatch.setattr("voxtrail.io.dicom.contours._EDGES", 7)
    np.testing.assert_array_equal(filled([line], (20, 21)), whole)
