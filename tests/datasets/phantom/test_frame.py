"""Voxels, millimetres and the interpolation from coarse to fine."""

from dataclasses import replace

import numpy as np
import pytest

from voxtrail.datasets.phantom.frame import Frame, doubled
from voxtrail.datasets.phantom.physique import draw_physique


@pytest.fixture
def frame() -> Frame:
    physique = draw_physique(np.random.default_rng(3))
    return Frame((21, 16, 9), (2.0, 2.5, 4.0), (-20.0, -15.0, 30.0), physique)


def test_the_affine_places_voxels_where_the_points_are(frame):
    upright = replace(frame.physique, size=1.0, tilt=np.eye(3), waves=np.zeros((6, 3)))
    points = replace(frame, physique=upright).points
    here = frame.affine @ [5, 7, 3, 1]
    assert (points.x[5, 7, 3], points.y[5, 7, 3], points.z[5, 7, 3]) == pytest.approx(here[:3])


def test_a_box_holds_every_voxel_of_its_region(frame):
    low, high = (-10.0, -8.0, 38.0), (5.0, 10.0, 50.0)
    p = frame.points
    inside = np.ones(frame.shape, dtype=bool)
    for c, a, b in zip((p.x, p.y, p.z), low, high, strict=True):
        inside &= (c >= a) & (c <= b)
    assert inside.any()
    outside = np.ones(frame.shape, dtype=bool)
    outside[frame.box(low, high)] = False
    assert not (inside & outside).any()


def test_a_region_out_of_view_has_no_box(frame):
    assert frame.box((500, 500, 500), (600, 600, 600)) is None


@pytest.mark.parametrize("shape", [(6, 7, 8), (5, 9, 3)])
def test_doubling_restores_what_is_linear(shape):
    ramp = np.add.outer(
        np.add.outer(np.arange(shape[0]), 2.0 * np.arange(shape[1])), -3.0 * np.arange(shape[2])
    )
    coarse = np.add.outer(
        np.add.outer(2.0 * np.arange(shape[0] // 2 + 1), 4.0 * np.arange(shape[1] // 2 + 1)),
        -6.0 * np.arange(shape[2] // 2 + 1),
    )
    np.testing.assert_allclose(doubled(coarse, shape), ramp)


def test_the_coarse_frame_samples_every_second_voxel(frame):
    fine, coarse = frame.points, frame.coarse.points
    np.testing.assert_allclose(coarse.x[:11, :8, :5], fine.x[::2, ::2, ::2])
