"""Logits of two ways to the same result, compared so that it holds on any processor."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

#: Greatest difference of logits, relative to the greatest of them. A batch of another size, or
#: another processor, adds up in another order. That alone changes a float32 logit by some 1e-6 of
#: the greatest, but memories are rounded to bfloat16, whose last bit (2**-8 of a value) may then
#: fall either way, and what attends to them carries it on.
ROUNDED = 2e-3


def assert_same_logits(found: ArrayLike, expected: ArrayLike) -> None:
    """Compare by what matters: the masks, and how far logits differ beside their size."""
    ours, theirs = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    greatest = np.abs(theirs).max()
    assert np.abs(ours - theirs).max() <= ROUNDED * greatest
    # A logit nearer to 0 than rounding moves it may lie on either side.
    certain = np.abs(theirs) > ROUNDED * greatest
    np.testing.assert_array_equal((ours > 0)[certain], (theirs > 0)[certain])
