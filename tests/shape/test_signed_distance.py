import numpy as np

from voxtrail.shape import signed_distance_mm


def test_two_pixels_by_hand():
    # Rows 2 mm apart, columns 3 mm.
    mask = np.zeros((3, 4), dtype=bool)
    mask[1, 1:3] = True
    expected = [
        [-np.hypot(2, 3), -2, -2, -np.hypot(2, 3)],
        [-3, 2, 2, -3],
        [-np.hypot(2, 3), -2, -2, -np.hypot(2, 3)],
    ]
    np.testing.assert_allclose(signed_distance_mm(mask, (2.0, 3.0)), expected)


def test_beyond_the_picture_everything_is_outside():
    np.testing.assert_allclose(signed_distance_mm(np.ones((3, 3), dtype=bool), (1.0, 1.0))[1, 1], 2)
