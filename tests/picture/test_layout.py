from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtrail.picture.layout import PANELS_HIGH_IN, WIDTH_IN, Arrangement, Layout

SIDE_MM = st.floats(2.0, 2000.0)


def overlap(one, other):
    return all(
        one[low] < other[low] + other[low + 2] - 1e-9
        and other[low] < one[low] + one[low + 2] - 1e-9
        for low in (0, 1)
    )


@settings(max_examples=40, deadline=None)
@given(st.tuples(SIDE_MM, SIDE_MM, SIDE_MM), st.integers(1, 16), st.integers(0, 30))
def test_panels_lie_on_the_sheet_side_by_side_in_true_proportions(size_mm, panels, names):
    layout = Layout.of(size_mm, panels, names)
    x_mm, y_mm, z_mm = size_mm
    shown = [(rectangle, x_mm / y_mm) for rectangle in layout.axial]
    shown += [(layout.coronal, x_mm / z_mm), (layout.sagittal, y_mm / z_mm)]
    assert len(shown) == panels + 2
    for (left, bottom, wide, high), aspect in shown:
        assert min(left, bottom) > 0
        assert max(left + wide, bottom + high) < 1
        assert bottom >= layout.legend_top
        assert wide * WIDTH_IN / (high * layout.height_in) == pytest.approx(aspect)
    rectangles = [rectangle for rectangle, _ in shown]
    assert not any(overlap(*pair) for pair in combinations(rectangles, 2))
    assert layout.height_in < PANELS_HIGH_IN + 3


def test_panels_read_row_by_row():
    places = [(-round(top, 3), left) for left, top, _, _ in Layout.of((300, 200, 210), 16, 3).axial]
    assert places == sorted(places)


def test_the_long_views_of_a_thin_scan_lie_below_and_of_a_tall_one_beside():
    thin, tall = Layout.of((400, 300, 40), 16, 1), Layout.of((150, 100, 400), 16, 1)
    assert thin.coronal[1] < min(rectangle[1] for rectangle in thin.axial)
    assert tall.coronal[0] > max(rectangle[0] for rectangle in tall.axial)


def test_an_arrangement_by_hand():
    # 7 panels of 30 x 20 mm in rows of 4: 120 x 40 mm. Beside them two views of 50 mm height at a
    # scale of 0.4, 30 * 0.4 mm wide; below them 30 + 20 mm wide at 0.48 (0.6 * 40 / 50).
    beside, below = (Arrangement((30.0, 20.0, 50.0), 7, 4, side) for side in (True, False))
    assert beside.rows == 2
    assert beside.scale == pytest.approx(0.4)
    assert beside.total_mm == pytest.approx((132, 40))
    assert below.scale == pytest.approx(0.48)
    assert below.total_mm == pytest.approx((120, 64))
