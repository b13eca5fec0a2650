"""What every prior keeps to, whichever it is."""

import numpy as np
import pytest
from scipy import ndimage

from voxtrail.core.axis import Axis
from voxtrail.errors import OptionError
from voxtrail.fuse.priors import PRIORS

SHAPE = (24, 28, 19)
SPACING_MM = (0.9, 1.4, 3.0)
contract = pytest.mark.parametrize("name", PRIORS.members())
axes = pytest.mark.parametrize("axis", Axis)


@pytest.fixture
def blob():
    noise = np.random.default_rng(5).normal(size=SHAPE)
    return ndimage.gaussian_filter(noise, 4) > 0.005


@pytest.fixture
def noisy(blob):
    """Logits that are right more often than not."""
    noise = np.random.default_rng(6).normal(size=SHAPE)
    return (np.where(blob, 2.0, -2.0) + 6 * ndimage.gaussian_filter(noise, 1)).astype(np.float32)


def outlines(blob, axis, *indices):
    return {axis: {index: axis.to_stack(blob)[index] for index in indices}}


def on_every(blob):
    """Outline four slices of each axis."""
    drawn = {}
    for axis in Axis:
        count = blob.shape[axis.value]
        drawn |= outlines(blob, axis, 1, count // 4, count // 2 + 1, count - 2)
    return drawn


@contract
def test_logits_of_the_same_shape_come_out_and_what_came_in_is_not_written_to(name, blob, noisy):
    before = noisy.copy()
    fused = PRIORS.parse(name).fuse(noisy, on_every(blob), SPACING_MM)
    np.testing.assert_array_equal(noisy, before)
    assert (fused.shape, fused.dtype) == (SHAPE, np.float32)
    assert np.isfinite(fused).all()


@contract
@axes
def test_outlined_slices_and_what_lies_beyond_them_stay(name, axis, blob, noisy):
    fused = PRIORS.parse(name).fuse(noisy, outlines(blob, axis, 2, 7, 11, 16), SPACING_MM)
    stay = [0, 1, 2, 7, 11, 16, 17, 18]
    np.testing.assert_array_equal(axis.to_stack(fused)[stay], axis.to_stack(noisy)[stay])


@contract
@pytest.mark.parametrize("indices", [(), (4,), (4, 5)])
def test_nothing_changes_where_nothing_lies_between(name, indices, blob, noisy):
    fused = PRIORS.parse(name).fuse(noisy, outlines(blob, Axis.AXIAL, *indices), SPACING_MM)
    np.testing.assert_array_equal(fused, noisy)


@contract
def test_nothing_is_said_next_to_an_empty_outline(name, blob, noisy):
    drawn = outlines(blob, Axis.AXIAL, 2, 7, 12, 17)
    drawn[Axis.AXIAL][12] = np.zeros_like(drawn[Axis.AXIAL][12])
    fused = PRIORS.parse(name).fuse(noisy, drawn, SPACING_MM)
    np.testing.assert_array_equal(fused[..., 7:], noisy[..., 7:])


@contract
@axes
def test_the_order_of_outlines_and_the_way_through_the_stack_do_not_matter(name, axis, blob, noisy):
    prior = PRIORS.parse(name)
    fused = prior.fuse(noisy, outlines(blob, axis, 2, 7, 11, 16), SPACING_MM)
    again = prior.fuse(noisy, outlines(blob, axis, 16, 2, 11, 7), SPACING_MM)
    np.testing.assert_array_equal(again, fused)
    last = SHAPE[axis.value] - 1
    mirrored = outlines(np.flip(blob, axis.value), axis, *(last - i for i in (2, 7, 11, 16)))
    reverse = prior.fuse(np.flip(noisy, axis.value), mirrored, SPACING_MM)
    np.testing.assert_allclose(np.flip(reverse, axis.value), fused, atol=1e-4)


@contract
def test_the_order_of_axes_does_not_matter(name, blob, noisy):
    prior, drawn = PRIORS.parse(name), on_every(blob)
    backwards = dict(reversed(drawn.items()))
    np.testing.assert_allclose(
        prior.fuse(noisy, backwards, SPACING_MM), prior.fuse(noisy, drawn, SPACING_MM), atol=1e-4
    )


@contract
@pytest.mark.parametrize("spoken", [(axis,) for axis in Axis] + [tuple(Axis)])
def test_a_tracker_that_is_right_loses_nothing(name, spoken, blob):
    right = np.where(blob, 10, -10).astype(np.float32)
    drawn = {axis: masks for axis, masks in on_every(blob).items() if axis in spoken}
    fused = PRIORS.parse(name).fuse(right, drawn, SPACING_MM)
    np.testing.assert_array_equal(fused > 0, blob)


def test_unknown_priors_and_options_list_the_valid_ones():
    for text in ("atlas", "none:align=1", "shape:sigma=3"):
        with pytest.raises(OptionError, match=r"none|shape:align=0\.1,smooth=0\.5"):
            PRIORS.parse(text)
