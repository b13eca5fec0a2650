"""How unsure voxels and slices are, by answers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.crop_path import CropPath
from voxtrail.core.prompts import MaskPrompt
from voxtrail.evaluate import simulate
from voxtrail.fuse import FUSIONS
from voxtrail.propagate.stack import PassLogits, StackLogits
from voxtrail.session import Config, segment
from voxtrail.session.uncertainty import belief, confidence, unsureness

BOX = Box((0, 0, 0), (1, 2, 3))
#: Log-odds of 3 to 1.
THREE = float(np.log(3))


def one_pass(columns, visited=(True, True, True)):
    """Return a pass over three axial slices of one pixel by two."""
    logits = np.array(columns, dtype=np.float32).reshape(3, 2, 1)
    nothing = np.full(3, np.nan, np.float32)
    return PassLogits(logits, np.array(visited), nothing, sum(visited), None)


def believed(*passes, fused):
    found = [(CropPath.of_box(BOX, Axis.AXIAL), StackLogits({}, passes))]
    stack = np.array(fused, dtype=np.float32).reshape(3, 2, 1)
    told = belief(found, FUSIONS.parse("mean-logit"), Axis.AXIAL.from_stack(stack), BOX)
    return Axis.AXIAL.to_stack(told).reshape(3, 2)


def test_belief_is_the_mean_of_what_passes_and_their_fusion_say():
    told = believed(
        one_pass([[THREE, -THREE]] * 3),
        one_pass([[THREE, THREE]] * 3, visited=(True, True, False)),
        fused=[[THREE, 0.0], [THREE, 0.0], [THREE, -THREE]],
    )
    np.testing.assert_allclose(told, [[0.75, 0.5], [0.75, 0.5], [0.75, 0.25]], atol=1e-6)


def test_witnesses_that_contradict_one_another_are_unsure_however_sure_each_is():
    told = believed(one_pass([[20, 20]] * 3), fused=[[20, -20]] * 3)
    np.testing.assert_allclose(unsureness(told), [[0, 1]] * 3, atol=1e-6)


def test_a_slice_is_as_sure_as_its_mask_is_on_average():
    stack = np.array([[0.9, 0.7], [0.8, 0.1], [0.4, 0.2], [0.9, 0.9], [0.1, 0.1]], np.float32)
    told = Axis.AXIAL.from_stack(stack.reshape(5, 2, 1))
    drawn = np.array([[True], [True]])
    sure = confidence(told, told > 0.5, Axis.AXIAL, {0: drawn, 3: drawn})
    # Outlined; one voxel of .8; missed between two outlines; outlined; nothing beyond them.
    np.testing.assert_allclose(sure, [1, 0.8, 0, 1, 1], atol=1e-6)
    sure = confidence(told, told > 0.5, Axis.AXIAL, {0: drawn, 3: ~drawn})
    np.testing.assert_allclose(sure, [1, 0.8, 1, 1, 1], atol=1e-6)


def test_an_empty_outline_beyond_the_structure_does_no_harm(scan, truth, tiny):
    prompts = simulate(truth, labels=[1])
    nothing = MaskPrompt(1, Axis.AXIAL, 0, np.zeros_like(prompts.prompts[0].mask))
    drawn = replace(prompts, prompts=(nothing, *prompts.prompts))
    result = segment(scan, drawn, Config(), model=tiny)
    assert not Axis.AXIAL.to_stack(result.uncertainty(1))[0].any()
    assert result.quality[1].confidence[Axis.AXIAL][1] == 1.0


@pytest.mark.parametrize("axes", [("axial",), ("axial", "coronal")])
def test_uncertainty_lies_on_the_scans_grid_and_is_none_on_outlined_slices(axes, scan, truth, tiny):
    prompts = simulate(truth, axes=[Axis.named(name) for name in axes])
    result = segment(scan, prompts, Config(axes=axes), model=tiny)
    for label in (1, 2, 3):
        unsure = result.uncertainty(label)
        assert (unsure.shape, unsure.dtype) == (scan.grid.shape, np.float32)
        assert 0 <= unsure.min() < unsure.max() <= 1
        for one in prompts.of(label):
            assert not one.axis.to_stack(unsure)[one.slice_index].any()
            assert result.quality[label].confidence[one.axis][one.slice_index] == 1.0
