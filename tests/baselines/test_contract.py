"""What every interpolation between outlines keeps."""

import numpy as np
import pytest
from scipy import ndimage

from voxtrail.baselines import INTERPOLATORS
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.errors import PromptError

# ITK's own, when it loads.
pytestmark = pytest.mark.filterwarnings("ignore:builtin type [sS]wig:DeprecationWarning")

SHAPE = (18, 20, 22)
SPACING_MM = (0.8, 1.1, 2.5)


def outlines(volume, axis, *indices):
    return [MaskPrompt(1, axis, index, axis.to_stack(volume)[index]) for index in indices]


@pytest.fixture(params=sorted(INTERPOLATORS.members()))
def interpolator(request):
    if request.param == "morphological":
        pytest.importorskip("itk", reason="itk-morphologicalcontourinterpolation is not installed")
    return INTERPOLATORS.parse(request.param)


@pytest.fixture
def cylinder():
    """A block: along each axis, the same on every slice that it occupies."""
    volume = np.zeros(SHAPE, dtype=bool)
    volume[4:13, 5:16, 3:17] = True
    return volume


@pytest.mark.parametrize("axis", Axis)
def test_a_shape_that_stays_the_same_comes_back(interpolator, cylinder, axis):
    occupied = np.flatnonzero(axis.to_stack(cylinder).any(axis=(1, 2)))
    prompts = outlines(cylinder, axis, occupied[0], occupied[-1])
    np.testing.assert_array_equal(interpolator.interpolate(prompts, SHAPE, SPACING_MM), cylinder)


def test_only_between_the_outermost_outlines(interpolator, cylinder):
    prompts = outlines(cylinder, Axis.AXIAL, 12, 5)
    result = interpolator.interpolate(prompts, SHAPE, SPACING_MM)
    assert np.flatnonzero(result.any(axis=(0, 1))).tolist() == list(range(5, 13))


def test_outlines_come_back_unchanged(interpolator):
    noise = np.random.default_rng(3).normal(size=SHAPE)
    volume = ndimage.gaussian_filter(noise, 2) > 0
    prompts = outlines(volume, Axis.AXIAL, 2, 9, 10, 20)
    result = interpolator.interpolate(prompts, SHAPE, SPACING_MM)
    for index in (2, 9, 10, 20):
        np.testing.assert_array_equal(result[..., index], volume[..., index])
    assert (result.shape, result.dtype) == (SHAPE, bool)


def test_one_outline_is_one_slice(interpolator, cylinder):
    result = interpolator.interpolate(outlines(cylinder, Axis.CORONAL, 7), SHAPE, SPACING_MM)
    assert result.sum() == cylinder[:, 7].sum() == result[:, 7].sum()


def test_nothing_is_drawn_towards_an_empty_slice(interpolator, cylinder):
    prompts = outlines(cylinder, Axis.AXIAL, 5, 8, 20)  # 17 and above are empty
    result = interpolator.interpolate(prompts, SHAPE, SPACING_MM)
    assert np.flatnonzero(result.any(axis=(0, 1))).tolist() == [5, 6, 7, 8]


def test_a_slice_that_is_filled_to_its_border_stays_so(interpolator):
    prompts = outlines(np.ones(SHAPE, dtype=bool), Axis.AXIAL, 0, 21)
    assert interpolator.interpolate(prompts, SHAPE, SPACING_MM).all()


def test_the_order_of_outlines_does_not_matter(interpolator, cylinder):
    cylinder[:, :10, 10:] = False
    prompts = outlines(cylinder, Axis.AXIAL, 4, 9, 15)
    one, other = (
        interpolator.interpolate(some, SHAPE, SPACING_MM) for some in (prompts, prompts[::-1])
    )
    np.testing.assert_array_equal(one, other)


def test_outlines_that_do_not_belong_together_are_refused(interpolator, cylinder):
    mixed = [*outlines(cylinder, Axis.AXIAL, 4), *outlines(cylinder, Axis.CORONAL, 7)]
    with pytest.raises(PromptError, match="label 1 axial, label 1 coronal"):
        interpolator.interpolate(mixed, SHAPE, SPACING_MM)
    with pytest.raises(PromptError, match="received: none"):
        interpolator.interpolate([], SHAPE, SPACING_MM)
