"""What every prior keeps to, whichever it is."""

import numpy as np
import pytest
from scipy import ndimage

from voxtrail.core.axis import Axis
from voxtrail.errors import OptionError
from voxtrail.fuse.priors import PRIORS

SHAPE = (19, 24, 28)
SPACING_MM = (3.0, 0.9, 1.4)
contract = pytest.mark.parametrize("name", PRIORS.members())


@pytest.fixture
def blob():
    noise = np.random.default_rng(5).normal(size=SHAPE)
    return ndimage.gaussian_filter(noise, 4) > 0.005


@pytest.fixture
def noisy(blob):
    """Logits that are right more often than not."""
    noise = np.random.default_rng(6).normal(size=SHAPE)
    return (np.where(blob, 2.0, -2.0) + 6 * ndimage.gaussian_filter(noise, 1)).astype(np.float32)


def drawn_on(blob, axes):
    """Outline four slices of each axis."""
    counts = {axis: blob.shape[axis.value] for axis in axes}
    return {
        axis: outlines(axis.to_stack(blob), 1, count // 4, count // 2 + 1, count - 2)
        for axis, count in counts.items()
    }


def outlines(blob, *indices):
    return {index: blob[index] for index in indices}


@contract
def test_logits_of_the_same_shape_come_out_and_what_came_in_is_not_written_to(name, blob, noisy):
    before = noisy.copy()
    fused = PRIORS.parse(name).fuse(noisy, outlines(blob, 2, 7, 11, 16), SPACING_MM)
    np.testing.assert_array_equal(noisy, before)
    assert (fused.shape, fused.dtype) == (SHAPE, np.float32)
    assert np.isfinite(fused).all()


@contract
def test_outlined_slices_and_what_lies_beyond_them_stay(name, blob, noisy):
    fused = PRIORS.parse(name).fuse(noisy, outlines(blob, 2, 7, 11, 16), SPACING_MM)
    stay = [0, 1, 2, 7, 11, 16, 17, 18]
    np.testing.assert_array_equal(fused[stay], noisy[stay])


@contract
@pytest.mark.parametrize("indices", [(), (4,), (4, 5)])
def test_nothing_changes_where_nothing_lies_between(name, indices, blob, noisy):
    fused = PRIORS.parse(name).fuse(noisy, outlines(blob, *indices), SPACING_MM)
    np.testing.assert_array_equal(fused, noisy)


@contract
def test_nothing_is_said_next_to_an_empty_outline(name, blob, noisy):
    drawn = {**outlines(blob, 2, 7), 12: np.zeros(SHAPE[1:], dtype=bool), **outlines(blob, 17)}
    fused = PRIORS.parse(name).fuse(noisy, drawn, SPACING_MM)
    np.testing.assert_array_equal(fused[7:], noisy[7:])


@contract
def test_the_order_of_outlines_and_the_way_through_the_stack_do_not_matter(name, blob, noisy):
    prior = PRIORS.parse(name)
    fused = prior.fuse(noisy, outlines(blob, 2, 7, 11, 16), SPACING_MM)
    again = prior.fuse(noisy, outlines(blob, 16, 2, 11, 7), SPACING_MM)
    np.testing.assert_array_equal(again, fused)
    mirrored = {SHAPE[0] - 1 - index: blob[index] for index in (2, 7, 11, 16)}
    np.testing.assert_allclose(
        prior.fuse(noisy[::-1], mirrored, SPACING_MM)[::-1], fused, atol=1e-4
    )


@contract
@pytest.mark.parametrize("axes", [(axis,) for axis in Axis] + [tuple(Axis)])
def test_a_tracker_that_is_right_loses_nothing(name, axes, blob):
    right = np.where(blob, 10, -10).astype(np.float32)
    fused = PRIORS.parse(name).fuse_axes(right, drawn_on(blob, axes), SPACING_MM)
    np.testing.assert_array_equal(fused > 0, blob)


@contract
@pytest.mark.parametrize("axis", Axis)
def test_one_axis_of_a_box_is_one_stack(name, axis, blob, noisy):
    prior = PRIORS.parse(name)
    drawn = drawn_on(blob, [axis])
    stack_mm = tuple(SPACING_MM[i] for i in (axis.value, axis.row_axis, axis.column_axis))
    np.testing.assert_array_equal(
        axis.to_stack(prior.fuse_axes(noisy, drawn, SPACING_MM)),
        prior.fuse(axis.to_stack(noisy), drawn[axis], stack_mm),
    )


@contract
def test_axes_that_both_speak_are_averaged_and_each_is_heard_alone(name, blob, noisy):
    prior = PRIORS.parse(name)
    pair = (Axis.SAGITTAL, Axis.AXIAL)
    one, other, both = (
        prior.fuse_axes(noisy, drawn_on(blob, axes), SPACING_MM)
        for axes in ([pair[0]], [pair[1]], pair)
    )
    np.testing.assert_allclose(both[9, :, 13], (one + other)[9, :, 13] / 2, rtol=1e-6)
    np.testing.assert_array_equal(both[0], other[0])  # beyond the sagittal outlines
    np.testing.assert_array_equal(both[..., -1], one[..., -1])


def test_unknown_priors_and_options_list_the_valid_ones():
    for text in ("atlas", "none:align=1", "shape:sigma=3"):
        with pytest.raises(OptionError, match=r"none|shape:align=0\.1,smooth=0\.5"):
            PRIORS.parse(text)
