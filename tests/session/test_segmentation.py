"""The whole way on a tiny model: geometry, prompts, passes and their fusion."""

from dataclasses import replace

import numpy as np
import pytest

from tests.logits import assert_same_logits
from tests.scans import ORDERS, oblique_affine, reorder, three_blocks
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import simulate
from voxtrail.memory import parse_policy
from voxtrail.preprocess import parse_preprocess
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.schedule import passes
from voxtrail.propagate.stack import Stack
from voxtrail.session import Cache, Config, segment

THREE_AXES = ("axial", "coronal", "sagittal")


@pytest.fixture(scope="module")
def canonical(scan, truth, tiny):
    return segment(scan, simulate(truth), Config(preset="is+sps", crop="none"), model=tiny)


@pytest.fixture(scope="module")
def cropped(scan, truth, tiny):
    config = Config(preset="is+sps", axes=THREE_AXES, margin_mm=2)
    prompts = simulate(truth, "first-last", tuple(Axis), [1, 2])
    return config, segment(scan, prompts, config, model=tiny)


def axis_order(order):
    return f"{order[0]}{order[1]}".replace(" ", "")


@pytest.mark.parametrize("order", ORDERS, ids=axis_order)
def test_every_axis_order_gives_the_same_labels_voxel_for_voxel(order, canonical, tiny):
    hu, labels = three_blocks()
    stored, moved = reorder(hu, oblique_affine(), order)
    drawn, _ = reorder(labels, oblique_affine(), order)
    scan = Volume.from_stored(stored, moved)
    prompts = simulate(LabelMap.from_stored(drawn, moved))
    result = segment(scan, prompts, Config(preset="is+sps", crop="none"), model=tiny)
    expected, _ = reorder(canonical.labels.to_stored(), oblique_affine(), order)
    assert set(np.unique(expected)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(result.labels.to_stored(), expected)
    assert result.labels.stored.affine.tobytes() == moved.tobytes()


@pytest.mark.parametrize("order", ORDERS[5::17], ids=axis_order)
def test_axis_order_does_not_matter_for_crops_and_three_axes_either(order, cropped, tiny):
    config, first = cropped
    hu, labels = three_blocks()
    stored, moved = reorder(hu, oblique_affine(), order)
    drawn, _ = reorder(labels, oblique_affine(), order)
    drawn_map = LabelMap.from_stored(drawn, moved)
    prompts = simulate(drawn_map, "first-last", tuple(Axis), [1, 2])
    result = segment(Volume.from_stored(stored, moved), prompts, config, model=tiny)
    np.testing.assert_array_equal(result.labels.voxels, first.labels.voxels)
    assert [label.crop for label in result.record.labels] == [
        label.crop for label in first.record.labels
    ]


def assert_unchanged(result, prompts):
    for prompt in prompts.prompts:
        if isinstance(prompt, MaskPrompt):
            found = prompt.axis.to_stack(result.labels.voxels)[prompt.slice_index]
            np.testing.assert_array_equal(found == prompt.label, prompt.mask)
            alone = prompt.axis.to_stack(result.mask(prompt.label))[prompt.slice_index]
            np.testing.assert_array_equal(alone, prompt.mask)


@pytest.mark.parametrize("crop", ["label", "all", "none"])
def test_outlined_slices_come_back_unchanged(crop, scan, truth, tiny):
    prompts = simulate(truth)
    result = segment(scan, prompts, Config(preset="is+sps", crop=crop, margin_mm=2), model=tiny)
    assert_unchanged(result, prompts)


def test_outlines_on_every_axis_come_back_unchanged(scan, truth, tiny):
    prompts = simulate(truth, axes=(Axis.CORONAL, Axis.SAGITTAL))
    config = Config(preset="is+sps", axes=THREE_AXES, margin_mm=2)
    result = segment(scan, prompts, config, model=tiny)
    assert_unchanged(result, prompts)
    assert {"hip: nothing was drawn on axial slices; that axis says nothing about it"} <= set(
        result.record.warnings
    )


def test_outlines_on_axes_that_are_not_propagated_are_kept_too(scan, truth, tiny):
    prompts = simulate(truth, axes=tuple(Axis))
    result = segment(scan, prompts, Config(preset="is+sps"), model=tiny)
    assert_unchanged(result, prompts)
    assert any("sacrum: 6 prompts on other axes" in said for said in result.record.warnings)


def test_an_empty_mask_says_nothing_here(scan, truth, tiny):
    drawn = simulate(truth, "middle", labels=[1])
    empty = MaskPrompt(1, Axis.AXIAL, 6, np.zeros((12, 14), bool))
    prompts = Prompts((*drawn.prompts, empty), drawn.stored)
    result = segment(scan, prompts, Config(preset="is+sps", crop="none"), model=tiny)
    assert not result.mask(1)[..., 6].any()
    assert result.mask(1)[..., 5].any()
    # Two prompted slices: the passes end at them.
    assert not result.mask(1)[..., 7:].any()
    assert [item.prompted for item in result.record.labels[0].passes] == [[4, 6]]


@pytest.mark.parametrize("axis", Axis)
@pytest.mark.parametrize("kind", ["box", "points"])
def test_boxes_and_points_work_on_every_axis(axis, kind, scan, truth, bright):
    rows, columns = np.nonzero(axis.to_stack(truth.voxels == 1)[4])
    x0, x1, y0, y1 = columns.min(), columns.max(), rows.min(), rows.max()
    if kind == "box":
        prompt = BoxPrompt(1, axis, 4, (x0, y0, x1, y1))
    else:
        prompt = PointPrompt(1, axis, 4, (((x0 + x1) / 2, (y0 + y1) / 2), (0, 0)), (True, False))
    # Only the first block is brighter than -300 HU and darker than the next within this crop.
    config = Config(
        preset="is+sps", axes=(axis.label,), window="-300,200", margin_mm=1, extent="prompts"
    )
    result = segment(scan, Prompts((prompt,), scan.stored), config, model=bright)
    found = axis.to_stack(result.labels.voxels == 1)
    there = axis.to_stack(truth.voxels > 0)[4]
    assert found[4].any()
    assert not np.delete(found, 4, axis=0).any()
    assert not (found[4] & ~there).any()
    assert found[4][rows, columns].all()


def test_boxes_and_points_go_through_the_real_architecture(scan, tiny):
    prompts = Prompts(
        (
            BoxPrompt(1, Axis.AXIAL, 2, (3, 3, 8, 9)),
            PointPrompt(2, Axis.AXIAL, 4, ((10, 4), (0.5, 0.5)), (True, False)),
            PointPrompt(2, Axis.AXIAL, 6, ((9, 4),), (True,)),
        ),
        scan.stored,
    )
    result = segment(scan, prompts, Config(preset="is+sps", crop="none"), model=tiny)
    assert [item.prompted for label in result.record.labels for item in label.passes] == [
        [2],
        [2],
        [4, 6],
    ]


def stack_of(scan, prompts, tiny):
    grey = parse_preprocess("bone").apply(Axis.AXIAL.to_stack(scan.voxels))
    return Stack.of(FeatureSource(tiny.model, grey), prompts.by_slice(1, Axis.AXIAL))


def test_both_ways_is_the_mean_of_the_two_passes(scan, truth, tiny):
    prompts = simulate(truth, "first-last", labels=[1])
    config = Config(preset="is+sps", crop="none", direction="both", extent="all").resolved()
    result = segment(scan, prompts, config, model=tiny)
    stack = stack_of(scan, prompts, tiny)
    up, down = passes(list(stack.prompts), 9, "both")
    assert (up.slices, down.slices) == (tuple(range(1, 9)), tuple(range(7, -1, -1)))
    propagator = Propagator(tiny.model, parse_policy(config.prompt_memory, config.memory))
    upwards = propagator.run_passes([stack], [[up]])[0].passes[0].logits
    downwards = propagator.run_passes([stack], [[down]])[0].passes[0].logits
    assert np.abs(upwards[2:7] - downwards[2:7]).max() > 0.1
    fused = Axis.AXIAL.to_stack(result.logits[1].logits)
    assert_same_logits(fused[2:7], (upwards[2:7] + downwards[2:7]) / 2)
    assert_same_logits(fused[8], upwards[8])
    assert_same_logits(fused[0], downwards[0])


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_a_middle_prompt_alone_runs_both_ways(direction, scan, truth, tiny):
    prompts = simulate(truth, "middle", labels=[1])
    config = Config(preset="is+sps", crop="none", direction=direction, extent="all")
    result = segment(scan, prompts, config, model=tiny)
    stack = stack_of(scan, prompts, tiny)
    propagator = Propagator(tiny.model, parse_policy("near:tau=0.3", "intelligent"))
    courses = passes([4], 9, "forward")
    upwards, downwards = propagator.run_passes([stack], [courses])[0].passes
    fused = Axis.AXIAL.to_stack(result.logits[1].logits)
    assert_same_logits(fused[5:], upwards.logits[5:])
    assert_same_logits(fused[:4], downwards.logits[:4])


def test_three_axes_are_the_mean_of_three(scan, truth, tiny, whole):
    prompts = simulate(truth, axes=tuple(Axis), labels=[1, 3])
    together = segment(scan, prompts, replace(whole, axes=THREE_AXES, extent="all"), model=tiny)
    alone = [
        segment(scan, prompts, replace(whole, axes=(axis,), extent="all"), model=tiny)
        for axis in THREE_AXES
    ]
    for label in (1, 3):
        each = [result.logits[label].logits for result in alone]
        assert np.abs(each[0] - each[1]).max() > 0.1
        assert_same_logits(together.logits[label].logits, np.mean(each, axis=0))


def test_a_label_outlined_on_one_of_three_axes_is_what_that_axis_says(scan, truth, tiny, whole):
    prompts = simulate(truth)
    one = segment(scan, prompts, whole, model=tiny)
    three = segment(scan, prompts, replace(whole, axes=THREE_AXES), model=tiny)
    np.testing.assert_array_equal(one.labels.voxels, three.labels.voxels)


def test_equal_runs_give_equal_results(scan, truth, tiny):
    config = Config(preset="is+sps", margin_mm=2, direction="both")
    prompts = simulate(truth, labels=[1, 2])
    first = segment(scan, prompts, config, model=tiny)
    again = segment(scan, prompts, config, model=tiny)
    for label in (1, 2):
        assert first.logits[label].logits.tobytes() == again.logits[label].logits.tobytes()


def test_nothing_that_is_passed_in_is_written_to(scan, truth, bright):
    prompts = simulate(truth, axes=tuple(Axis))
    before = scan.voxels.copy(), [prompt.mask.copy() for prompt in prompts.prompts]
    segment(scan, prompts, Config(preset="is+sps", axes=THREE_AXES), model=bright)
    np.testing.assert_array_equal(scan.voxels, before[0])
    for prompt, mask in zip(prompts.prompts, before[1], strict=True):
        np.testing.assert_array_equal(prompt.mask, mask)


def test_probabilities_are_the_logits_as_shares(canonical):
    shares = canonical.probabilities(2)
    assert shares.shape == canonical.labels.grid.shape
    assert shares.dtype == np.float32
    np.testing.assert_array_equal(shares > 0.5, canonical.mask(2))
    assert 0 <= shares.min() < shares.max() <= 1


def test_progress_counts_every_slice(scan, truth, tiny, whole):
    said = []
    segment(scan, simulate(truth), whole, model=tiny, progress=lambda *of: said.append(of))
    for expected in ("propagating", "leaving outlines out"):
        of_it = [(done, total) for done, total, what in said if what == expected]
        assert of_it[-1][0] == of_it[-1][1]
        assert of_it == sorted(of_it)
    assert said[-1][2] == "leaving outlines out"


def test_a_second_run_with_the_same_cache_encodes_nothing_and_finds_the_same(tiny, scan, truth):
    prompts = simulate(truth)
    cache = Cache()
    first = segment(scan, prompts, Config(preset="is+sps"), model=tiny, cache=cache)
    second = segment(scan, prompts, Config(preset="is+sps"), model=tiny, cache=cache)
    assert first.record.slices["encoded"] > 0
    assert second.record.slices["encoded"] == 0
    assert second.record.predictions["segmented"] == 0
    for label, found in first.logits.items():
        np.testing.assert_array_equal(second.logits[label].logits, found.logits)


def test_a_cache_in_a_folder_gives_the_same_labels(tiny, scan, truth, tmp_path):
    prompts = simulate(truth)
    first = segment(
        scan, prompts, Config(preset="is+sps"), model=tiny, cache=Cache.in_folder(tmp_path)
    )
    again = segment(
        scan, prompts, Config(preset="is+sps"), model=tiny, cache=Cache.in_folder(tmp_path)
    )
    assert again.record.slices["encoded"] == 0
    np.testing.assert_array_equal(again.labels.voxels, first.labels.voxels)
