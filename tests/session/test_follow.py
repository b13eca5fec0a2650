"""A crop that follows goes through everything exactly: what is drawn and found comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.scans import ORDERS, oblique_affine, reorder
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import simulate
from voxtrail.session import Cache, Config, Session, segment

#: Brighter than 100 HU is found; a rod of 4 x 4 voxels moves by its own width every two slices.
SHAPE = (50, 40, 16)
CONFIG = Config(window="100,200", crop="follow", margin_mm=3, prior="none")


def rod() -> tuple[np.ndarray, np.ndarray]:
    hu = np.broadcast_to(np.arange(SHAPE[2], dtype=np.int16), SHAPE).copy()
    labels = np.zeros(SHAPE, np.uint8)
    for index in range(SHAPE[2]):
        here = np.s_[6 + 2 * index : 10 + 2 * index, 8 + index : 12 + index, index]
        hu[here], labels[here] = 1000, 1
    return hu, labels


@pytest.fixture(scope="module")
def oblique() -> tuple[Volume, LabelMap]:
    hu, labels = rod()
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    return Volume.from_stored(hu, affine), LabelMap.from_stored(labels, affine)


def test_what_is_found_in_moving_windows_lies_where_it_is(oblique, bright):
    scan, truth = oblique
    result = segment(scan, simulate(truth), CONFIG, model=bright)
    np.testing.assert_array_equal(result.labels.voxels, truth.voxels)
    (label,) = result.record.labels
    (window,) = label.windows
    assert window["size"] == [10, 10]
    assert len(window["starts"]) == SHAPE[2]
    assert "times the largest section" in window["why"]
    still = segment(scan, simulate(truth), replace(CONFIG, crop="label"), model=bright)
    np.testing.assert_array_equal(still.labels.voxels, truth.voxels)
    assert len(still.record.labels[0].windows[0]["starts"]) == 1


@pytest.mark.parametrize("slices", ["middle", "first-last"])
def test_beyond_the_outlines_windows_go_after_the_mask(slices, oblique, bright):
    scan, truth = oblique
    drawn = simulate(truth, slices).prompts[:1]
    config = replace(CONFIG, extent="all", margin_mm=5)
    result = segment(scan, Prompts(drawn, truth.stored), config, model=bright)
    np.testing.assert_array_equal(result.labels.voxels, truth.voxels)
    assert result.record.labels[0].growths == 0


def test_every_window_is_encoded_once_also_where_it_moves_as_it_goes(oblique, bright):
    scan, truth = oblique
    session = Session(scan, replace(CONFIG, extent="object", margin_mm=5), model=bright)
    session.load(simulate(truth, "middle"))
    session.run()
    assert bright.model.encoded == SHAPE[2]
    again = session.run()
    assert bright.model.encoded == SHAPE[2]
    np.testing.assert_array_equal(again.labels.voxels, truth.voxels)


def test_an_outline_inside_the_windows_moves_none_of_them(oblique, bright):
    scan, truth = oblique
    cache = Cache()
    first = segment(scan, simulate(truth), CONFIG, model=bright, cache=cache)
    more = simulate(truth, "uniform:5")
    second = segment(scan, more, CONFIG, model=bright, cache=cache)
    assert second.record.slices["encoded"] == 0
    assert second.record.labels[0].windows == first.record.labels[0].windows


def test_an_outline_elsewhere_moves_the_windows_around_it_only(oblique, bright):
    scan, truth = oblique
    session = Session(scan, replace(CONFIG, margin_mm=6), model=bright)
    session.load(simulate(truth))
    before = session.run().record.labels[0].windows[0]["starts"]
    aside = simulate(truth, "uniform:5").prompts[1]
    session.replace(replace(aside, mask=np.roll(aside.mask, -4, axis=1)))
    result = session.run()
    after = result.record.labels[0].windows[0]["starts"]
    pairs = zip(before, after, strict=True)
    moved = [index for index, (one, other) in enumerate(pairs) if one != other]
    assert moved
    assert max(moved) < SHAPE[2] // 2
    stack = Axis.AXIAL.to_stack(result.mask(1))
    np.testing.assert_array_equal(stack[aside.slice_index], np.roll(aside.mask, -4, axis=1))


@pytest.mark.parametrize("order", ORDERS[3::11], ids=str)
@pytest.mark.parametrize("axes", [("axial",), ("axial", "coronal", "sagittal")])
def test_axis_order_does_not_matter(order, axes, tiny):
    hu, labels = rod()

    def run(stored, drawn, affine):
        prompts = simulate(LabelMap.from_stored(drawn, affine), axes=[Axis.named(a) for a in axes])
        config = Config(axes=axes)
        return segment(Volume.from_stored(stored, affine), prompts, config, model=tiny)

    first = run(hu, labels, oblique_affine())
    stored, moved = reorder(hu, oblique_affine(), order)
    drawn, _ = reorder(labels, oblique_affine(), order)
    second = run(stored, drawn, moved)
    np.testing.assert_array_equal(second.labels.voxels, first.labels.voxels)
    assert first.record.labels[0].windows == second.record.labels[0].windows


def test_the_shape_prior_leaves_a_tracker_that_is_right_as_it_is(oblique, bright):
    scan, truth = oblique
    for slices in ("first-middle-last", "uniform:5", "uniform:7"):
        config = replace(CONFIG, prior="shape")
        result = segment(scan, simulate(truth, slices), config, model=bright)
        np.testing.assert_array_equal(result.labels.voxels, truth.voxels)


def test_outlines_are_kept_and_shape_has_its_say_where_the_tracker_is_lost(oblique, bright):
    scan, truth = oblique
    dim = Volume(np.minimum(scan.voxels, 30), scan.stored)  # nothing is bright: all is lost
    prompts = simulate(truth, "uniform:5")
    alone = segment(dim, prompts, CONFIG, model=bright)
    fused = segment(dim, prompts, replace(CONFIG, prior="shape"), model=bright)
    drawn = [prompt.slice_index for prompt in prompts.prompts]
    between = [index for index in range(SHAPE[2]) if index not in drawn]
    assert not alone.labels.voxels[..., between].any()
    found, expected = fused.labels.voxels[..., between] > 0, truth.voxels[..., between] > 0
    assert 2 * (found & expected).sum() / (found.sum() + expected.sum()) > 0.9
    for index in drawn:
        np.testing.assert_array_equal(fused.labels.voxels[..., index], truth.voxels[..., index])


def test_the_default_is_ours_and_the_papers_presets_stay(oblique, bright):
    scan, truth = oblique
    ours = segment(scan, simulate(truth), Config(window="100,200"), model=bright).record.config
    assert (ours.preset, ours.crop, ours.margin_mm) == ("is+sps+shape", "follow", None)
    assert ours.prior == "shape:align=0.1,smooth=0.5,worth=2.0"
    assert "n=2" in ours.prompt_memory
    for preset in ("baseline", "sps", "is", "is+sps"):
        theirs = Config(preset=preset).resolved()
        assert (theirs.crop, theirs.margin_mm, theirs.prior) == ("label", 20.0, "none")
