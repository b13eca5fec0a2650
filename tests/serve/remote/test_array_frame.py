"""Axis order, which is where such bridges break: all 48 ways in which a scan can lie."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from tests.scans import ORDERS, oblique_affine, reorder
from voxtrail.core.box import Box
from voxtrail.core.volume import Volume
from voxtrail.errors import ImageError
from voxtrail.serve.remote.array_frame import ArrayFrame

LPS = np.diag([-1.0, -1.0, 1.0])


def sent(order) -> tuple[np.ndarray, ArrayFrame, Volume]:
    """Return the array (z, y, x) of a scan as SimpleITK gives it, its frame, and the scan."""
    voxels = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    stored, affine = reorder(voxels, oblique_affine(), order)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    frame = ArrayFrame.of(
        stored.shape[::-1], spacing[::-1], LPS @ affine[:3, 3], LPS @ affine[:3, :3] / spacing
    )
    return np.ascontiguousarray(stored.T), frame, Volume.from_stored(stored, affine)


@pytest.mark.parametrize("order", ORDERS)
def test_a_scan_lies_as_its_file_says_whatever_its_order(order):
    array, frame, scan = sent(order)
    assert frame.stored.same_as(scan.stored)
    np.testing.assert_array_equal(frame.volume(array).voxels, scan.voxels)
    np.testing.assert_array_equal(frame.to_array(frame.to_scan(array)), array)
    box = Box((1, 0, 2), (3, 4, 4))
    inside = frame.box_in_scan(box)
    np.testing.assert_array_equal(
        frame.to_scan(array)[inside.slices], frame.to_scan(array[box.slices])
    )
    assert frame.box_in_array(inside) == box
    for along in range(3):
        assert frame.array_axis_of(frame.axis_of(along)) == along
        index = [1, 2, 3]
        assert array[tuple(index)] == scan.voxels[frame.voxel(index)]


def test_without_a_direction_it_is_that_of_an_axial_scan():
    image = SimpleITK.GetImageFromArray(np.zeros((3, 4, 5), np.int16))  # the identity, LPS
    image.SetSpacing((0.7, 0.9, 2.5))
    frame = ArrayFrame.of((3, 4, 5), (2.5, 0.9, 0.7))
    assert frame.stored.shape == image.GetSize()
    assert frame.stored.spacing_mm == pytest.approx(image.GetSpacing())
    assert frame.stored.orientation().flips == (True, True, False)


@pytest.mark.parametrize(
    "spacing",
    [
        (0, 1, 1),
        (-1, 1, 1),
        (np.nan, 1, 1),
        (np.inf, 1, 1),
        (1e300, 1, 1),
        (1, 1),
        "abc",
        {"x": 1},
        [[1], [1], [1]],
    ],
)
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(ImageError, match="spacing"):
        ArrayFrame.of((3, 4, 5), spacing)
