from itertools import permutations, product

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt
from voxtrail.errors import OptionError, PromptError
from voxtrail.preprocess.crop import around_prompts, parse_roi

SHAPE = (40, 50, 60)
SPACING_MM = (1.0, 2.0, 4.0)


def outline(volume, axis, index, label=1):
    return MaskPrompt(label, axis, index, axis.to_stack(volume)[index])


@pytest.fixture
def block():
    volume = np.zeros(SHAPE, dtype=bool)
    volume[10:14, 20:25, 30:36] = True
    return volume


@pytest.mark.parametrize("axis", Axis)
def test_masks_on_any_axis_give_the_same_box(block, axis):
    ends = {Axis.SAGITTAL: (10, 13), Axis.CORONAL: (20, 24), Axis.AXIAL: (30, 35)}[axis]
    prompts = [outline(block, axis, index) for index in ends]
    assert around_prompts(prompts, SHAPE, SPACING_MM, 0) == Box((10, 20, 30), (14, 25, 36))


def test_the_margin_is_the_same_in_mm_on_all_axes(block):
    box = around_prompts([outline(block, Axis.AXIAL, 30)], SHAPE, SPACING_MM, margin_mm=8)
    assert box == Box((2, 16, 28), (22, 29, 33))


def test_the_box_ends_where_the_scan_ends(block):
    box = around_prompts([outline(block, Axis.AXIAL, 30)], SHAPE, SPACING_MM, margin_mm=1000)
    assert box == Box.whole(SHAPE)


def test_the_union_of_all_slices_and_labels_is_inside(block):
    other = np.zeros(SHAPE, dtype=bool)
    other[0:2, 48:50, 5:7] = True
    prompts = [outline(block, Axis.AXIAL, 30), outline(other, Axis.CORONAL, 48, label=2)]
    assert around_prompts(prompts, SHAPE, SPACING_MM, 0) == Box((0, 20, 5), (14, 49, 31))


def test_an_empty_slice_is_inside_along_its_axis_alone(block):
    empty = np.zeros(SHAPE, dtype=bool)
    prompts = [outline(block, Axis.AXIAL, 30), outline(empty, Axis.AXIAL, 40)]
    box = around_prompts(prompts, SHAPE, SPACING_MM, margin_mm=4)
    assert box == Box((6, 18, 29), (18, 27, 41))


def test_a_box_prompt_counts_both_corners():
    # Axial: columns run from the right (x = 39) to the left, rows from the front (y = 49) back.
    prompt = BoxPrompt(1, Axis.AXIAL, 7, (4.0, 9.0, 6.0, 9.5))
    assert around_prompts([prompt], SHAPE, SPACING_MM, 0) == Box((33, 39, 7), (36, 41, 8))


def test_clicks_alone_get_the_larger_margin():
    prompt = PointPrompt(1, Axis.SAGITTAL, 20, ((25.0, 30.0), (0.0, 0.0)), (True, False))
    # Sagittal: columns run from the front, rows from the head: voxel (20, 24, 29), 60 mm around.
    box = around_prompts([prompt], SHAPE, SPACING_MM, margin_mm=0)
    assert box == Box((0, 0, 14), (40, 50, 45))


def test_clicks_beside_an_outline_get_its_margin(block):
    # Voxel (15, 22, 30), one beyond the outline.
    click = PointPrompt(1, Axis.AXIAL, 30, ((24.0, 27.0),), (True,))
    prompts = [outline(block, Axis.AXIAL, 31), click]
    assert around_prompts(prompts, SHAPE, SPACING_MM, 0) == Box((10, 20, 30), (16, 25, 32))


@pytest.mark.parametrize(
    "prompts",
    [
        [],
        [MaskPrompt(1, Axis.AXIAL, 3, np.zeros((50, 40), dtype=bool))],
        [PointPrompt(1, Axis.AXIAL, 3, ((1.0, 1.0),), (False,))],
    ],
)
def test_nothing_drawn_is_refused(prompts):
    with pytest.raises(PromptError, match="nothing was drawn"):
        around_prompts(prompts, SHAPE, SPACING_MM)


@pytest.mark.parametrize("margin_mm", [-1.0, float("nan"), float("inf")])
def test_a_margin_that_is_none_is_refused(block, margin_mm):
    with pytest.raises(OptionError, match="0 mm or more"):
        around_prompts([outline(block, Axis.AXIAL, 30)], SHAPE, SPACING_MM, margin_mm)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("signs", list(product((1, -1), repeat=3)))
def test_a_region_in_stored_indices_cuts_out_the_stored_voxels(order, signs):
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * np.array(signs) * (0.7, 0.8, 2.5)
    stored = Grid((5, 6, 7), affine)
    voxels = np.arange(5 * 6 * 7).reshape(5, 6, 7)
    box = parse_roi("1:4, :5, 2:", stored)
    cut = stored.orientation().to_canonical(voxels)[box.slices]
    np.testing.assert_array_equal(np.sort(cut, None), np.sort(voxels[1:4, :5, 2:], None))


def test_a_region_may_be_the_whole_scan():
    assert parse_roi(":,:,:", Grid((5, 6, 7), np.eye(4))) == Box.whole((5, 6, 7))


@pytest.mark.parametrize(
    "text",
    ["", "1:2", "1:2,1:2", "1:2,1:2,1:2,1:2", "1,2,3", "a:b,:,:", "-2:3,:,:", "1.5:2,:,:",
     "3:3,:,:", "4:2,:,:", ":6,:,:", "5:,:,:", f"{'9' * 5000}:,:,:"],
)  # fmt: skip
def test_a_region_that_cannot_be_cut_is_refused(text):
    with pytest.raises(OptionError, match=r"within 0:5,0:6,0:7"):
        parse_roi(text, Grid((5, 6, 7), np.eye(4)))
