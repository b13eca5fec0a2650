"""Crops and their growth, regions, and where passes end: with a model that finds what is bright."""

from dataclasses import replace

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import OptionError, PromptError
from voxtrail.evaluate import simulate
from voxtrail.session import Config, segment
from voxtrail.session.crops import MAX_GROWTHS

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
#: Brighter than 100 HU is found; 100 HU either way are a logit of 10.
SETTINGS = Config(preset="is+sps", window="100,200", margin_mm=2)


def blocks(shape, *bright):
    """Return a dim scan with bright blocks, and their label map.

    Its background differs from slice to slice: equal slices are encoded once.
    """
    hu = np.broadcast_to(np.arange(shape[2], dtype=np.int16) % 50, shape).copy()
    labels = np.zeros(shape, np.uint8)
    for label, where in enumerate(bright, start=1):
        hu[where], labels[where] = 1000, label
    return Volume.from_stored(hu, AFFINE), LabelMap.from_stored(labels, AFFINE)


def box_of(mask):
    places = np.argwhere(mask)
    return places.min(axis=0).tolist(), (places.max(axis=0) + 1).tolist()


def spot(scan, axis, index, *pixels, label=1):
    """Return a prompt that marks a few (row, column) of a slice."""
    mask = np.zeros(axis.to_stack(scan.voxels).shape[1:], bool)
    for pixel in pixels:
        mask[pixel] = True
    return MaskPrompt(label, axis, index, mask)


def test_a_crop_that_holds_the_structure_does_not_grow(bright):
    scan, truth = blocks((20, 20, 8), np.s_[8:12, 8:12, 2:7])
    result = segment(scan, simulate(truth), SETTINGS, model=bright)
    np.testing.assert_array_equal(result.labels.voxels, truth.voxels)
    label = result.record.labels[0]
    assert (label.growths, label.voxels) == (0, 80)
    assert (label.crop.start, label.crop.stop) == ((6, 6, 2), (14, 14, 7))
    assert result.record.warnings == []


def test_a_touched_border_grows_and_the_part_is_run_again(bright):
    # A bar along x from 15 to 24, drawn at 19 and 20: the crop ends 3 voxels off, then 6.
    scan, _ = blocks((40, 10, 6), np.s_[15:25, 4:6, 1:5])
    drawn = spot(scan, Axis.AXIAL, 2, (4, 19), (4, 20), (5, 19), (5, 20))
    prompts = Prompts((drawn,), scan.stored)
    result = segment(scan, prompts, replace(SETTINGS, margin_mm=3, extent="all"), model=bright)
    label = result.record.labels[0]
    assert label.growths == 1
    assert (label.crop.start[0], label.crop.stop[0]) == (13, 27)
    assert (label.crop.start[1], label.crop.stop[1]) == (
        1,
        9,
    )  # these sides were not touched and stay
    assert box_of(result.labels.voxels[..., 1]) == ([15, 4], [25, 6])
    assert result.record.warnings == []


def test_a_crop_grows_at_most_twice_and_says_so(bright):
    scan, _ = blocks((60, 10, 6), np.s_[:, 4:6, :])
    drawn = spot(scan, Axis.AXIAL, 2, (4, 30), (5, 30))
    prompts = Prompts((drawn,), scan.stored, {1: "rod"})
    result = segment(scan, prompts, replace(SETTINGS, margin_mm=3), model=bright)
    label = result.record.labels[0]
    assert label.growths == MAX_GROWTHS == 2
    assert label.crop.stop[0] - label.crop.start[0] == 1 + 2 * 3 * 3
    assert any("rod: its mask still reaches the border" in said for said in result.record.warnings)


def test_only_the_label_whose_crop_was_touched_is_run_again(bright):
    scan, truth = blocks((40, 24, 6), np.s_[10:30, 4:6, :], np.s_[6:10, 16:20, :])
    whole = simulate(truth, labels=[2])
    drawn = spot(scan, Axis.AXIAL, 2, (23 - 4, 20), (23 - 5, 20))
    prompts = Prompts((drawn, *whole.prompts), scan.stored)
    result = segment(scan, prompts, SETTINGS, model=bright)
    assert [label.growths for label in result.record.labels] == [2, 0]


@pytest.mark.parametrize("kind", ["box", "points"])
def test_the_mask_of_a_box_or_click_can_grow_its_crop_too(kind, bright):
    scan, _ = blocks((180, 12, 3), np.s_[:, 5:8, :])
    if kind == "box":
        prompt = BoxPrompt(1, Axis.AXIAL, 1, (90, 5, 92, 6))
    else:
        prompt = PointPrompt(1, Axis.AXIAL, 1, ((90, 5),), (True,))
    config = replace(SETTINGS, extent="prompts")
    result = segment(scan, Prompts((prompt,), scan.stored), config, model=bright)
    assert result.record.labels[0].growths > 0


def test_the_region_is_never_left(bright):
    scan, _ = blocks((30, 20, 9), np.s_[:, 8:12, :])
    _, inner = blocks((30, 20, 9), np.s_[12:16, 8:12, 4:6])
    for axis in Axis:
        prompts = simulate(inner, "middle", axes=(axis,))
        config = replace(
            SETTINGS, roi="7:21,6:14,3:7", extent="all", axes=(axis.label,), crop="label"
        )
        result = segment(scan, prompts, config, model=bright)
        outside = np.ones(scan.grid.shape, bool)
        outside[7:21, 6:14, 3:7] = False
        assert not result.labels.voxels[outside].any()
        assert result.labels.voxels.any()
        assert Box((7, 6, 3), (21, 14, 7)).contains(result.record.labels[0].crop)


@pytest.mark.parametrize(
    "prompt",
    [
        BoxPrompt(1, Axis.AXIAL, 1, (2, 2, 4, 4)),
        BoxPrompt(1, Axis.AXIAL, 4, (2, 2, 4, 4)),
        PointPrompt(1, Axis.AXIAL, 4, ((12, 9), (0, 0)), (True, False)),
        MaskPrompt(1, Axis.AXIAL, 4, np.ones((20, 30), bool)),
    ],
)
def test_what_is_drawn_outside_the_region_is_refused(prompt, bright):
    scan, _ = blocks((30, 20, 9), np.s_[:, 8:12, :])
    config = replace(SETTINGS, roi="7:21,6:14,3:7")
    with pytest.raises(PromptError, match=r"outside the region.*7:21,6:14,3:7"):
        segment(scan, Prompts((prompt,), scan.stored), config, model=bright)


@pytest.mark.parametrize("roi", ["1:2", "a:b,:,:", "5:5,:,:", "0:31,:,:", "7:3,:,:"])
def test_a_region_that_cannot_be_cut_out_is_refused(roi, bright):
    scan, truth = blocks((30, 20, 9), np.s_[8:12, 8:12, :])
    with pytest.raises(OptionError, match="x0:x1,y0:y1,z0:z1"):
        segment(scan, simulate(truth), replace(SETTINGS, roi=roi), model=bright)


def filled_slices(result, axis=Axis.AXIAL, label=1):
    stack = axis.to_stack(result.labels.voxels == label)
    return np.flatnonzero(stack.any(axis=(1, 2))).tolist()


def test_passes_end_at_the_outermost_prompts_of_two_or_more(bright):
    scan, truth = blocks((20, 20, 12), np.s_[8:12, 8:12, :])
    drawn = simulate(truth)
    inner = [replace_slice(drawn.prompts[0], index) for index in (3, 7)]
    prompts = Prompts(tuple(inner), scan.stored)
    assert filled_slices(segment(scan, prompts, SETTINGS, model=bright)) == [3, 4, 5, 6, 7]
    config = replace(SETTINGS, extent="all")
    assert filled_slices(segment(scan, prompts, config, model=bright)) == list(range(12))


def replace_slice(prompt, index):
    return MaskPrompt(prompt.label, prompt.axis, index, prompt.mask)


def test_one_prompt_runs_until_the_object_is_gone(bright):
    # A gap of one slice is bridged, one of two ends the pass; what lies beyond is not found.
    scan, truth = blocks((20, 20, 20), np.s_[8:12, 8:12, [2, 5, 6, 7, 8, 10, 11, 14, 15]])
    prompts = simulate(truth, "middle")
    assert [prompt.slice_index for prompt in prompts.prompts] == [8]
    result = segment(scan, prompts, SETTINGS, model=bright)
    assert filled_slices(result) == [5, 6, 7, 8, 10, 11]
    up, down = result.record.labels[0].passes
    assert (up.extent, up.stopped_at, up.tracked) == ("object", 13, 5)
    assert (down.stopped_at, down.tracked) == (3, 5)
    everything = segment(scan, prompts, replace(SETTINGS, extent="all"), model=bright)
    assert filled_slices(everything) == [2, 5, 6, 7, 8, 10, 11, 14, 15]
    one = segment(scan, prompts, replace(SETTINGS, extent="prompts"), model=bright)
    assert filled_slices(one) == [8]


def test_a_pass_goes_on_through_a_gap_to_the_next_prompt_and_from_it(bright):
    scan, _ = blocks((20, 20, 14), np.s_[8:12, 8:12, [1, 2, 7, 8, 9]])
    prompts = Prompts(
        tuple(spot(scan, Axis.AXIAL, index, (9, 9), (9, 10)) for index in (1, 7)), scan.stored
    )
    result = segment(scan, prompts, replace(SETTINGS, extent="object"), model=bright)
    assert filled_slices(result) == [1, 2, 7, 8, 9]


def test_what_the_prompts_of_one_axis_bound_no_other_axis_leaves(bright):
    scan, truth = blocks((20, 20, 12), np.s_[8:12, 8:12, 2:10])
    inner = np.zeros(scan.grid.shape, np.uint8)
    inner[8:12, 8:12, 4:8] = 1
    prompts = simulate(LabelMap.from_stored(inner, AFFINE), axes=tuple(Axis))
    config = replace(SETTINGS, axes=("axial", "coronal", "sagittal"), margin_mm=6)
    result = segment(scan, prompts, config, model=bright)
    assert filled_slices(result) == [4, 5, 6, 7]
    assert truth.voxels[..., 3].any()
    # A border beyond the bound is no reason to grow.
    tight = segment(scan, prompts, replace(config, margin_mm=2), model=bright)
    assert tight.record.labels[0].growths == 0
    further = segment(scan, prompts, replace(config, extent="all"), model=bright)
    assert set(filled_slices(further)) > {4, 5, 6, 7}


def test_an_outline_on_another_axis_widens_the_bound(bright):
    scan, truth = blocks((20, 20, 12), np.s_[8:12, 8:12, 2:10])
    axial = [replace_slice(simulate(truth).prompts[0], index) for index in (4, 6)]
    along = simulate(truth, "middle", axes=(Axis.CORONAL,)).prompts
    prompts = Prompts((*axial, *along), scan.stored)
    config = replace(SETTINGS, axes=("axial", "coronal"))
    assert filled_slices(segment(scan, prompts, config, model=bright)) == list(range(2, 10))


def test_one_crop_for_all_labels_encodes_each_slice_once(bright):
    scan, truth = blocks(
        (30, 20, 12), np.s_[2:8, 5:9, 1:7], np.s_[12:16, 5:9, 3:9], np.s_[20:27, 8:12, 4:11]
    )
    prompts = simulate(truth)
    config = replace(SETTINGS, crop="all", direction="both")
    shared = segment(scan, prompts, config, model=bright)
    assert bright.model.encoded == 10  # slices 1 to 10
    np.testing.assert_array_equal(shared.labels.voxels > 0, truth.voxels > 0)
    bright.model.encoded = 0
    apart = segment(scan, prompts, replace(config, crop="label"), model=bright)
    assert bright.model.encoded == 6 + 6 + 7
    np.testing.assert_array_equal(apart.labels.voxels, truth.voxels)
    bright.model.encoded = 0
    segment(scan, prompts, replace(config, crop="none", extent="all"), model=bright)
    assert bright.model.encoded == 12


def test_the_margin_is_the_same_in_millimetres_on_every_side(bright):
    scan, truth = blocks((40, 40, 20), np.s_[15:20, 15:20, 5:15])
    config = replace(SETTINGS, margin_mm=5, extent="all", axes=("sagittal",))
    prompts = simulate(truth, axes=(Axis.SAGITTAL,))
    crop = segment(scan, prompts, config, model=bright).record.labels[0].crop
    assert (crop.start, crop.stop) == ((0, 10, 2), (40, 25, 18))


def test_outlines_of_several_axes_say_how_far_passes_go(bright):
    # The object never ends along x; crossing outlines, drawn from 18 to 21, say that it does.
    scan, _ = blocks((40, 12, 8), np.s_[:, 4:8, 2:6])
    across = np.ones((4, 4), bool)
    axial = np.zeros(Axis.AXIAL.to_stack(scan.voxels).shape[1:], bool)
    sagittal = np.zeros(Axis.SAGITTAL.to_stack(scan.voxels).shape[1:], bool)
    axial[4:8, 18:22], sagittal[2:6, 4:8] = across, across
    prompts = Prompts(
        (MaskPrompt(1, Axis.AXIAL, 3, axial), MaskPrompt(1, Axis.SAGITTAL, 20, sagittal)),
        scan.stored,
    )
    config = replace(SETTINGS, axes=("axial", "sagittal"))
    result = segment(scan, prompts, config, model=bright)
    passes = {(one.axis, one.first_slice, one.last_slice) for one in result.record.labels[0].passes}
    # The margin is 2 mm: two voxels of x, one slice of z.
    assert passes == {("sagittal", 16, 23), ("axial", 1, 6)}
    # Asked for, passes go on for as long as the object does.
    further = segment(scan, prompts, replace(config, extent="object"), model=bright)
    passes = {
        (one.axis, one.first_slice, one.last_slice) for one in further.record.labels[0].passes
    }
    assert passes == {("sagittal", 0, 39), ("axial", 0, 7)}
