"""Signed distances against answers worked by hand."""

import numpy as np
import pytest

from voxtrail.datasets.phantom.shapes import (
    Points,
    ball,
    box,
    capsule,
    carve,
    common,
    corner,
    ellipse,
    ellipsoid,
    fade,
    plate,
    rotation,
    tube,
    union,
)


def at(x: float, y: float, z: float) -> Points:
    return Points(np.array([x]), np.array([y]), np.array([z]))


def test_a_ball_is_as_far_as_its_surface():
    assert ball(at(3, 4, 0), (0, 0, 0), 2)[0] == pytest.approx(3)
    assert ball(at(1, 0, 0), (1, 0, 0), 2)[0] == pytest.approx(-2)


def test_a_capsule_is_measured_from_its_axis_and_tapers():
    assert capsule(at(5, 3, 0), (0, 0, 0), (10, 0, 0), 1, 1)[0] == pytest.approx(2)
    assert capsule(at(13, 4, 0), (0, 0, 0), (10, 0, 0), 1, 1)[0] == pytest.approx(4)
    assert capsule(at(10, 3, 0), (0, 0, 0), (10, 0, 0), 1, 2)[0] == pytest.approx(1)


def test_a_tube_follows_its_bend():
    path = [(0.0, 0.0, 0.0), (10.0, 0.0, 0.0), (10.0, 10.0, 0.0)]
    assert tube(at(12, 5, 0), path, [1, 1, 1], blend=0)[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("point", "distance"),
    [((5, 0, 0), 3), ((2, 5, 0), 2), ((2, 3, 6), 2), ((5, 7, 0), 5), ((0, 0, 0), -2)],
)
def test_a_box_without_rounding(point, distance):
    assert box(at(*point), (0, 0, 0), (2, 3, 4), 0)[0] == pytest.approx(distance)  # a corner: 3-4-5


def test_rounding_cuts_corners_and_leaves_faces():
    sharp, round_ = (corner(np.array([0.0]), np.array([0.0]), rounding=r)[0] for r in (0.0, 1.0))
    assert sharp == pytest.approx(0)
    assert round_ == pytest.approx(np.sqrt(2) - 1)
    assert corner(np.array([0.0]), np.array([-5.0]), rounding=1.0)[0] == pytest.approx(0)


def test_a_plate_is_measured_from_its_face_and_from_its_edge():
    triangle = ((0.0, 0.0, 0.0), (10.0, 0.0, 0.0), (0.0, 10.0, 0.0))
    assert plate(at(2, 2, 3), *triangle, 1)[0] == pytest.approx(2)
    assert plate(at(2, 2, -3), *triangle, 1)[0] == pytest.approx(2)
    assert plate(at(5, -4, 0), *triangle, 1)[0] == pytest.approx(3)


def test_ellipsoids_are_exact_on_axes_and_surface():
    assert ellipsoid(at(0, 5, 0), (0, 0, 0), (2, 5, 3))[0] == pytest.approx(0, abs=1e-5)
    assert ellipsoid(at(0, 0, 0), (0, 0, 0), (2, 5, 3))[0] < -1.9
    assert ellipse(np.array([4.0]), np.array([0.0]), 4.0, 2.0)[0] == pytest.approx(0, abs=1e-5)


def test_sharp_unions_cuts_and_carvings():
    a, b = np.array([-3.0, 1.0]), np.array([2.0, -1.0])
    np.testing.assert_array_equal(union(a, b), [-3, -1])
    np.testing.assert_array_equal(common(a, b), [2, 1])
    np.testing.assert_array_equal(carve(a, b), [-2, 1])


def test_blending_fills_creases_only():
    assert union(np.array([0.0]), np.array([0.0]), blend=4)[0] == pytest.approx(-1)
    assert union(np.array([0.0]), np.array([9.0]), blend=4)[0] == 0


def test_fade_goes_from_one_to_zero():
    assert fade(np.array([-99.0, 3.0, 99.0]), 3, 2) == pytest.approx([1, 0.5, 0])


def test_a_turned_frame_keeps_lengths_and_turns_right_to_front():
    turned = at(3, 0, 4).turned(rotation(0, 0, np.pi / 2))
    assert (turned.x[0], turned.y[0], turned.z[0]) == pytest.approx((0, 3, 4))
