"""Labels that compete for a voxel, or are kept apart."""

from dataclasses import replace

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, triple
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.evaluate import simulate
from voxtrail.session import Config, LabelLogits, segment
from voxtrail.session.compose import UNVISITED_LOGIT, compete, impose_drawn

SHAPE = (4, 3, 2)


@pytest.fixture
def empty():
    return Volume.from_stored(np.zeros(SHAPE, np.int16), np.eye(4))


def logits_of(**columns):
    """Return whole-scan logits by label from those of one line of voxels along x."""
    found = {}
    for name, line in columns.items():
        values = np.full(SHAPE, -5, np.float32)
        values[:, 1, 1] = line
        found[int(name.removeprefix("label"))] = LabelLogits(Box.whole(SHAPE), values)
    return found


def test_each_voxel_goes_to_the_highest_logit_above_zero(empty):
    found = logits_of(label3=[1, 2, -1, -2], label7=[2, 1, -2, 3])
    labels = compete(found, Prompts((), empty.stored, {7: "rib"}), empty)
    assert labels.voxels[:, 1, 1].tolist() == [7, 3, 0, 7]
    assert np.count_nonzero(labels.voxels) == 3
    assert labels.names == {7: "rib"}
    assert labels.voxels.dtype == np.uint8


def test_a_large_label_takes_a_wider_type(empty):
    labels = compete(logits_of(label300=[1, 1, 1, 1]), Prompts((), empty.stored), empty)
    assert labels.voxels.dtype == np.uint16
    assert labels.labels() == (300,)


def test_what_is_drawn_outvotes_any_prediction(empty):
    found = logits_of(label1=[50, 50, 50, 50], label2=[-50, -50, -50, -50])
    mask = np.zeros((3, 4), bool)
    mask[1, 2:] = True  # columns run against x
    prompts = Prompts((MaskPrompt(2, Axis.AXIAL, 1, mask),), empty.stored)
    impose_drawn(found, prompts, empty)
    labels = compete(found, prompts, empty)
    assert labels.voxels[:, 1, 1].tolist() == [2, 2, 1, 1]


def test_a_voxel_that_two_labels_drew_goes_to_the_one_that_drew_less(empty):
    found = logits_of(label1=[9, 9, 9, 9], label2=[9, 9, 9, 9])
    liver, tumour = np.zeros((3, 4), bool), np.zeros((3, 4), bool)
    liver[1], tumour[1, 2] = True, True
    prompts = Prompts(
        (MaskPrompt(1, Axis.AXIAL, 1, liver), MaskPrompt(2, Axis.AXIAL, 1, tumour)), empty.stored
    )
    impose_drawn(found, prompts, empty)
    assert compete(found, prompts, empty).voxels[:, 1, 1].tolist() == [1, 2, 1, 1]


def test_a_drawn_mask_widens_its_labels_box(empty):
    found = {1: LabelLogits(Box((1, 1, 1), (2, 2, 2)), np.ones((1, 1, 1), np.float32))}
    mask = np.zeros((3, 4), bool)
    mask[0, 0] = True  # front, patient's right: the last voxel along y and x
    prompts = Prompts((MaskPrompt(1, Axis.AXIAL, 0, mask),), empty.stored)
    impose_drawn(found, prompts, empty)
    assert found[1].box == Box((1, 1, 0), (4, 3, 2))
    labels = compete(found, prompts, empty)
    assert np.argwhere(labels.voxels).tolist() == [[1, 1, 1], [3, 2, 0]]
    assert found[1].logits[2, 1, 1] == UNVISITED_LOGIT


def test_where_slices_cross_what_one_of_them_holds_is_drawn(empty):
    found = logits_of(label1=[-5, -5, -5, -5])
    axial, coronal = np.zeros((3, 4), bool), np.zeros((2, 4), bool)
    axial[1, 0] = True
    coronal[0, 3] = True
    prompts = Prompts(
        (MaskPrompt(1, Axis.AXIAL, 1, axial), MaskPrompt(1, Axis.CORONAL, 1, coronal)),
        empty.stored,
    )
    impose_drawn(found, prompts, empty)
    labels = compete(found, prompts, empty)
    assert labels.voxels[:, 1, 1].tolist() == [1, 0, 0, 1]
    assert (found[1].logits > 0).sum() == 2


def test_apart_labels_may_overlap_where_competing_ones_share_out(scan, truth, tiny):
    prompts = simulate(truth)
    config = Config(preset="is+sps", crop="none", extent="all")
    shared = segment(scan, prompts, config, model=tiny)
    apart = segment(scan, prompts, replace(config, overlap="apart"), model=tiny)
    masks = np.stack([apart.mask(label) for label in (1, 2, 3)])
    assert (masks.sum(axis=0) > 1).any()
    for label in (1, 2, 3):
        np.testing.assert_array_equal(apart.mask(label), shared.mask(label))
        # Nothing is lost but what another label claims more surely.
        lost = shared.mask(label) & (shared.labels.voxels != label)
        others = np.max([widened(shared, n) for n in (1, 2, 3) if n != label], axis=0)
        assert (others[lost] >= widened(shared, label)[lost]).all()
    counts = [label.voxels for label in apart.record.labels]
    assert counts == [int(mask.sum()) for mask in masks]
    counts = [label.voxels for label in shared.record.labels]
    assert counts == [int((shared.labels.voxels == label).sum()) for label in (1, 2, 3)]


def widened(result, label):
    logits = np.full(result.labels.grid.shape, -np.inf, np.float32)
    logits[result.logits[label].box.slices] = result.logits[label].logits
    return logits


def test_apart_keeps_masks_that_were_drawn_on_the_same_pixels(scan, tiny):
    first, second = np.zeros((12, 14), bool), np.zeros((12, 14), bool)
    first[2:8, 2:8] = True
    second[5:10, 5:10] = True
    prompts = Prompts(
        (MaskPrompt(1, Axis.AXIAL, 4, first), MaskPrompt(2, Axis.AXIAL, 4, second)), scan.stored
    )
    config = Config(preset="is+sps", crop="none", overlap="apart", extent="prompts")
    result = segment(scan, prompts, config, model=tiny)
    for label, mask in ((1, first), (2, second)):
        np.testing.assert_array_equal(Axis.AXIAL.to_stack(result.mask(label))[4], mask)


def test_labels_whose_boxes_overlap_compete_voxel_by_voxel() -> None:
    rng = np.random.default_rng(3)
    volume = Volume.from_stored(np.zeros((9, 8, 7), np.float32), np.eye(4))
    logits, everywhere = {}, np.zeros((6, 9, 8, 7), np.float32)
    for label in range(1, 6):
        start = rng.integers(0, 4, 3)
        stop = start + rng.integers(2, 4, 3)
        box = Box(triple(start), triple(stop))
        values = rng.normal(size=box.shape).astype(np.float32)
        logits[label] = LabelLogits(box, values)
        everywhere[label][box.slices] = values
    found = compete(logits, Prompts((), volume.stored, {}), volume)
    np.testing.assert_array_equal(found.voxels, everywhere.argmax(axis=0))
