"""Voxels that lie on each other are put on each other, however they are stored; others are not."""

import numpy as np
import pytest

from tests.scans import ORDERS, oblique_affine, reorder
from voxtrail.core.alignment import COINCIDENT_VOXELS, align, joint_grid, on_grid
from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.core.prompts_on_grid import put_on
from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError

SHAPE = (7, 6, 5)


@pytest.fixture
def labels():
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[2:5, 1:4, 1], voxels[3, 2, 3] = 1, 7
    return LabelMap.from_stored(voxels, oblique_affine(), {1: "hip", 7: "rib"})


def part_of(labels, start, shape, order=ORDERS[0], moved_voxels=0.0):
    """Labels on a box of their stored grid, which may reach beyond it, stored in another order."""
    voxels = np.zeros(shape, np.uint8)
    for index in np.argwhere(labels.to_stored()):
        place = index - start
        if (place >= 0).all() and (place < shape).all():
            voxels[tuple(place)] = labels.to_stored()[tuple(index)]
    affine = labels.stored.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ (np.array(start) + moved_voxels)
    return LabelMap.from_stored(*reorder(voxels, affine, order), labels.names)


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize(
    ("start", "shape"),
    [
        ((0, 0, 0), SHAPE),
        ((1, 1, 1), (5, 4, 3)),
        ((-2, 0, 1), (9, 9, 9)),
        ((-3, -3, -3), (12, 12, 9)),
    ],
)
def test_any_order_and_part_is_put_on_its_place(labels, order, start, shape):
    part = part_of(labels, start, shape, order)
    back = on_grid(part, labels.stored, "drawn.nii")
    np.testing.assert_array_equal(back.to_stored(), labels.to_stored())
    assert back.stored is labels.stored
    assert (back.names, back.notes) == (labels.names, ())


def test_rounding_is_let_pass_and_said(labels):
    part = part_of(labels, (0, 0, 0), SHAPE, moved_voxels=0.04)
    back = on_grid(part, labels.stored, "drawn.nii")
    np.testing.assert_array_equal(back.voxels, labels.voxels)
    (note,) = back.notes
    assert note.startswith("drawn.nii lies up to")
    assert "(0.04 voxels) off" in note


def test_what_is_farther_off_is_refused_with_how_far_and_where(labels):
    with pytest.raises(GridError, match=r"\(0.06 voxels\) off, at its corner"):
        on_grid(part_of(labels, (0, 0, 0), SHAPE, moved_voxels=0.06), labels.stored, "a")
    wider = labels.stored.affine @ np.diag([1.02, 1, 1, 1])
    # The last of seven voxels is six times the difference off.
    assert align(Grid(SHAPE, wider), labels.stored).off_voxels == pytest.approx(0.12)
    with pytest.raises(GridError, match=r"\(0.12 voxels\)"):
        on_grid(LabelMap.from_stored(labels.to_stored(), wider), labels.stored, "a")
    turned = labels.stored.affine.copy()
    turned[:3, :3] = np.diag(labels.stored.spacing_mm)
    assert align(Grid(SHAPE, turned), labels.stored).off_voxels > 10 * COINCIDENT_VOXELS


def test_what_lies_beyond_the_scan_is_left_out_and_said(labels):
    larger = np.zeros((9, 6, 5), np.uint8)
    larger[:7] = labels.to_stored()
    larger[8, :2, 0] = 1
    back = on_grid(LabelMap.from_stored(larger, labels.stored.affine), labels.stored, "a.nii")
    np.testing.assert_array_equal(back.voxels, labels.voxels)
    assert back.notes == ("a.nii: 2 labelled voxels lie beyond the scan and were left out",)
    larger[:7] = 0
    with pytest.raises(GridError, match="nothing of it lies within the scan"):
        on_grid(LabelMap.from_stored(larger, labels.stored.affine), labels.stored, "a.nii")


def test_a_joint_grid_holds_both(labels):
    part = part_of(labels, (-2, 1, 1), (5, 9, 2), ORDERS[17])
    joint = joint_grid(part.stored, labels.stored)
    assert joint.shape == (9, 10, 5)
    for one in (part, labels):
        assert np.count_nonzero(on_grid(one, joint, "a").voxels) == np.count_nonzero(one.voxels)
    assert joint_grid(part_of(labels, (1, 1, 1), (2, 2, 2)).stored, labels.stored) is labels.stored


@pytest.mark.parametrize("order", ORDERS[::5], ids=str)
def test_prompts_go_where_their_voxels_go(labels, order):
    """Masks, boxes and clicks that were drawn on a part of the scan."""
    part = part_of(labels, (-1, 1, 1), (7, 4, 3), order)
    for axis in Axis:
        inside, stack = axis.to_stack(part.mask(1)), axis.to_stack(labels.mask(1))
        index = int(np.flatnonzero(inside.any(axis=(1, 2)))[0])
        rows, columns = np.nonzero(inside[index])
        first, last = (columns.min(), rows.min()), (columns.max(), rows.max())
        drawn = Prompts(
            (
                MaskPrompt(1, axis, index, inside[index]),
                BoxPrompt(2, axis, index, (*first, *last)),
                PointPrompt(3, axis, index, ((float(columns[0]), float(rows[0])),), (True,)),
                MaskPrompt(4, axis, index, np.zeros_like(inside[index])),
            ),
            part.stored,
        )
        mask, box, point, empty = put_on(drawn, labels.stored).prompts
        number = mask.slice_index
        np.testing.assert_array_equal(mask.mask, stack[number])
        rows, columns = np.nonzero(stack[number])
        assert box.box_xyxy == (columns.min(), rows.min(), columns.max(), rows.max())
        ((x, y),) = point.points_xy
        assert stack[number, int(y), int(x)]
        assert empty.slice_index == number
        assert not empty.mask.any()


def test_prompts_beyond_the_scan_are_left_out_and_said(labels):
    part = part_of(labels, (0, 0, -2), (7, 6, 7))
    mask = np.ones((6, 7), bool)
    drawn = Prompts(tuple(MaskPrompt(1, Axis.AXIAL, n, mask) for n in (1, 4)), part.stored)
    placed = put_on(drawn, labels.stored)
    assert len(placed.prompts) == 1
    assert placed.notes == ("1 prompts lie beyond the scan and were left out",)
    with pytest.raises(GridError, match="nothing of it lies within"):
        put_on(Prompts(drawn.prompts[:1], part.stored), labels.stored)


def test_grids_too_far_apart_to_be_compared_do_not_coincide():
    """Found by the fuzz run: 1e20 voxels apart, every difference is below the last digit."""
    far = np.eye(4)
    far[0, 3] = 1e20
    grid = Grid((4, 4, 4), np.eye(4))
    assert not align(Grid((4, 4, 4), far), grid).coincides
    with pytest.raises(GridError):
        joint_grid(Grid((4, 4, 4), far), grid)


def test_what_holds_two_grids_is_no_larger_than_a_scan():
    apart = np.eye(4)
    apart[:3, 3] = 5000
    grid = Grid((4, 4, 4), np.eye(4))
    assert align(Grid((4, 4, 4), apart), grid).coincides
    with pytest.raises(GridError, match="nothing of it lies within"):
        joint_grid(Grid((4, 4, 4), apart), grid)
    apart[:3, 3] = 100
    assert joint_grid(Grid((4, 4, 4), apart), grid).shape == (104, 104, 104)
