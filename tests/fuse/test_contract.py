"""What every fusion keeps to, whichever it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from voxtrail.errors import OptionError
from voxtrail.fuse import FUSIONS

SHAPE = (2, 3)
logits = hnp.arrays(np.float32, SHAPE, elements=st.floats(-30, 30, width=32))


def fused(fusion, passes):
    count = np.full(SHAPE, len(passes), np.uint8)
    return fusion.combine(sum(fusion.embed(each) for each in passes), count)


contract = pytest.mark.parametrize("name", FUSIONS.members())


@contract
@given(st.lists(logits, min_size=1, max_size=4))
def test_what_comes_out_is_finite_float32_of_the_same_shape(name, passes):
    result = fused(FUSIONS.parse(name), passes)
    assert result.shape == SHAPE
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


@contract
@given(logits)
def test_one_pass_alone_keeps_its_sign(name, alone):
    # Rounding may take a logit within 1e-5 of zero to either side.
    clear = np.abs(alone) > 1e-5
    result = fused(FUSIONS.parse(name), [alone])
    np.testing.assert_array_equal((result > 0)[clear], (alone > 0)[clear])


@contract
@given(st.permutations(range(3)), st.tuples(logits, logits, logits))
def test_the_order_of_passes_does_not_matter(name, order, passes):
    fusion = FUSIONS.parse(name)
    np.testing.assert_allclose(
        fused(fusion, passes), fused(fusion, [passes[i] for i in order]), rtol=1e-2, atol=1e-4
    )


@contract
@given(st.tuples(logits, logits))
def test_the_result_lies_between_the_passes(name, passes):
    fusion = FUSIONS.parse(name)
    result = fused(fusion, passes)
    each = [fused(fusion, [alone]) for alone in passes]
    assert (result <= np.maximum(*each) + 1e-3).all()
    assert (result >= np.minimum(*each) - 1e-3).all()


@contract
def test_passes_that_agree_are_agreed_with(name):
    for sign in (-1, 1):
        agreed = [np.full(SHAPE, sign * size, np.float32) for size in (0.5, 3, 8)]
        assert (np.sign(fused(FUSIONS.parse(name), agreed)) == sign).all()


@contract
def test_what_is_embedded_is_not_written_to(name):
    given_logits = np.full(SHAPE, 100, np.float32)
    FUSIONS.parse(name).embed(given_logits)
    assert (given_logits == 100).all()


@contract
def test_infinitely_sure_is_still_finite(name):
    sure = np.array([[1024, -1024, np.inf], [-np.inf, 0, 1]], np.float32)
    assert np.isfinite(fused(FUSIONS.parse(name), [sure])).all()


def test_the_mean_logit_is_the_mean():
    passes = [np.full(SHAPE, value, np.float32) for value in (4, -1, 0)]
    np.testing.assert_array_equal(fused(FUSIONS.parse("mean-logit"), passes), np.ones(SHAPE))


def test_the_mean_probability_is_the_mean():
    # 0.9 and 0.5 make 0.7.
    passes = [np.full(SHAPE, np.log(p / (1 - p)), np.float32) for p in (0.9, 0.5)]
    result = fused(FUSIONS.parse("mean-probability"), passes)
    np.testing.assert_allclose(1 / (1 + np.exp(-result)), 0.7, rtol=1e-5)


def test_one_very_sure_pass_outvotes_two_only_without_a_limit():
    passes = [np.full(SHAPE, value, np.float32) for value in (-1024, 15, 15)]
    assert (fused(FUSIONS.parse("mean-logit"), passes) > 0).all()
    assert (fused(FUSIONS.parse("mean-logit:limit=inf"), passes) < 0).all()


@pytest.mark.parametrize(
    "text", ["mean-logit:limit=0", "mean-logit:limit=-1", "mean-logit:limit=nan"]
)
def test_a_limit_must_leave_something(text):
    with pytest.raises(OptionError, match="limit of the fusion mean-logit"):
        FUSIONS.parse(text)


def test_unknown_fusions_and_options_list_the_valid_ones():
    for text in ("median", "mean-logit:cap=3", "mean-probability:limit=3"):
        with pytest.raises(OptionError, match="mean-"):
            FUSIONS.parse(text)
