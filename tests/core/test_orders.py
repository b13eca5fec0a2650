"""Round trips through the 48 axis orders and the three slicing directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scans import ORDERS, oblique_affine, reorder
from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.grid import SAME_GRID_VOXELS, Grid, Orientation
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import ImageError, OptionError

orders = st.sampled_from(ORDERS)
shapes = st.tuples(*[st.integers(1, 5)] * 3)
#: A rotation of less than 25 degrees a body axis leaves the nearest axes what they are.
tilts = st.tuples(*[st.floats(-0.2, 0.2)] * 3)
spacings = st.tuples(*[st.floats(0.3, 5.0)] * 3)


def numbered(shape):
    return np.arange(np.prod(shape)).reshape(shape)


def affine_of(spacing, tilt):
    x, y, z = tilt
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation = np.linalg.solve(np.eye(3) + skew / 2, np.eye(3) - skew / 2)  # Cayley
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag(spacing)
    affine[:3, 3] = (-30.0, 12.0, 400.0)
    return affine


@given(shapes, spacings, tilts, orders)
def test_every_order_is_one_canonical_volume_and_comes_back(shape, spacing, tilt, order):
    affine = affine_of(spacing, tilt)
    stored, moved = reorder(numbered(shape), affine, order)
    volume = Volume.from_stored(stored, moved)
    np.testing.assert_array_equal(volume.voxels, numbered(shape))
    np.testing.assert_array_equal(volume.to_stored(), stored)
    np.testing.assert_allclose(volume.grid.affine, affine, atol=1e-9)
    assert volume.grid.spacing_mm == pytest.approx(spacing)
    assert volume.stored.affine.tobytes() == moved.tobytes()
    assert volume.stored.canonical().same_as(volume.grid)


@given(orders, shapes)
def test_an_orientation_undoes_itself(order, shape):
    orientation = Orientation(*order)
    stored = numbered(shape)
    canonical = orientation.to_canonical(stored)
    np.testing.assert_array_equal(orientation.to_stored(canonical), stored)
    np.testing.assert_array_equal(orientation.to_canonical(orientation.to_stored(stored)), stored)


@given(orders, shapes, st.data())
def test_voxels_and_boxes_go_where_their_voxels_go(order, shape, data):
    volume = Volume.from_stored(
        *reorder(numbered(shape), affine_of((1.0, 2.0, 3.0), (0.1, 0.2, 0.0)), order)
    )
    canonical = np.zeros(volume.grid.shape, bool)
    start = [data.draw(st.integers(0, size - 1)) for size in canonical.shape]
    stop = [
        data.draw(st.integers(n + 1, size)) for n, size in zip(start, canonical.shape, strict=True)
    ]
    box = Box(tuple(start), tuple(stop))
    canonical[box.slices] = True
    stored = volume.stored.orientation().to_stored(canonical)
    assert Box.around(canonical) == box
    assert volume.stored.stored_box(box) == Box.around(stored)
    assert volume.stored.canonical_box(volume.stored.stored_box(box)) == box
    canonical[...] = False
    canonical[tuple(start)] = True
    (voxel,) = np.argwhere(volume.stored.orientation().to_stored(canonical))
    assert volume.stored.stored_voxel(start) == tuple(voxel)


@given(st.sampled_from(Axis), shapes)
def test_a_stack_undoes_itself(axis, shape):
    volume = numbered(shape)
    stack = axis.to_stack(volume)
    assert stack.shape == (shape[axis.value], shape[axis.row_axis], shape[axis.column_axis])
    np.testing.assert_array_equal(axis.from_stack(stack), volume)
    assert np.shares_memory(stack, volume)


@pytest.mark.parametrize(
    ("axis", "first_row", "first_column"),
    [
        (Axis.AXIAL, "front", "right"),
        (Axis.CORONAL, "head", "right"),
        (Axis.SAGITTAL, "head", "front"),
    ],
)
def test_a_slice_is_shown_as_a_radiologist_sees_it(axis, first_row, first_column):
    towards = {"right": 0, "front": 1, "head": 2}
    volume = np.zeros((2, 2, 2), bool)
    corner = [0, 0, 0]
    corner[towards[first_row]] = corner[towards[first_column]] = 1
    volume[tuple(corner)] = True
    assert axis.to_stack(volume)[0, 0, 0]


def test_axes_by_name():
    assert Axis.named(" Coronal ") is Axis.CORONAL
    assert Axis.several(["axial", "SAGITTAL"]) == (Axis.AXIAL, Axis.SAGITTAL)
    for names in ([], ["axial", "Axial"], ["axial", "oblique"]):
        with pytest.raises(OptionError, match="axial, coronal, sagittal"):
            Axis.several(names)


@given(orders, st.floats(-0.9, 0.9), st.integers(0, 2))
def test_grids_are_the_same_within_a_thousandth_of_a_voxel(order, share, column):
    _, affine = reorder(numbered((4, 5, 6)), oblique_affine(), order)
    shape = tuple(numbered((4, 5, 6)).transpose(order[0]).shape)
    grid = Grid(shape, affine)
    shift = np.zeros((4, 4))
    shift[column, 3] = share * SAME_GRID_VOXELS * min(grid.spacing_mm)
    assert grid.same_as(Grid(shape, affine + shift))
    shift[column, 3] = 0.01
    assert not grid.same_as(Grid(shape, affine + shift))


def test_a_small_turn_counts_by_how_far_it_moves_the_corners():
    def turned(shape, angle):
        affine = np.eye(4)
        affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        return Grid(shape, affine)

    # 1e-5 rad moves the far corner of 50 voxels by 5e-4 mm, of 500 by 5e-3 mm.
    assert turned((50, 50, 2), 0.0).same_as(turned((50, 50, 2), 1e-5))
    assert not turned((500, 500, 2), 0.0).same_as(turned((500, 500, 2), 1e-5))


def test_another_shape_is_another_grid():
    assert not Grid((3, 4, 5), np.eye(4)).same_as(Grid((3, 4, 6), np.eye(4)))


@pytest.mark.parametrize(
    "affine",
    [
        np.diag([1.0, 1.0, 0.0, 1.0]),
        np.array([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]),
        np.diag([1.0, np.nan, 1.0, 1.0]),
        np.diag([1.0, np.inf, 1.0, 1.0]),
        np.eye(3),
    ],
)
def test_an_affine_that_places_nothing_is_refused(affine):
    with pytest.raises(ImageError, match="affine"):
        Grid((3, 4, 5), affine)


def test_tiny_and_huge_voxels_are_no_singular_affine():
    for size in (1e-6, 1e6):
        Grid((3, 4, 5), np.diag([size, size, size, 1.0]))


def test_a_label_map_knows_its_labels_and_names():
    labels = LabelMap.from_stored(np.array([[[0, 7], [2, 7]]], np.uint8), np.eye(4), {7: "rib"})
    assert labels.labels() == (2, 7)
    assert (labels.name(7), labels.name(2)) == ("rib", "2")


def test_voxels_that_do_not_fill_their_grid_are_refused():
    with pytest.raises(ImageError, match="do not fill"):
        Volume(np.zeros((3, 4, 5)), Grid((3, 4, 6), np.eye(4)))
    with pytest.raises(ImageError, match="4 axes"):
        Volume.from_stored(np.zeros((3, 4, 5, 2)), np.eye(4))
