import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.errors import OptionError
from voxtrail.fuse.priors import PRIORS
from voxtrail.fuse.priors.interpolation import interpolation_worth
from voxtrail.fuse.priors.shape import PRIOR_LIMIT, Shape

SPACING_MM = (3.0, 1.0, 1.0)
ROWS_COLUMNS = (40, 48)


def disc(row, column, radius):
    i, j = np.indices(ROWS_COLUMNS)
    return (i - row) ** 2 + (j - column) ** 2 <= radius**2


def logits(masks, size=10.0):
    return np.where(masks, size, -size).astype(np.float32)


def dice(mask, truth):
    return 2 * (mask & truth).sum() / (mask.sum() + truth.sum())


@pytest.fixture
def cone():
    return np.stack([disc(20, 24, 5 + 0.5 * k) for k in range(17)])


@pytest.fixture
def winding():
    """A rod that swings to and fro, a turn on every second slice."""
    columns = 24 + 16 * np.cos(np.arange(17) * np.pi / 2)
    return np.stack([disc(20, column, 4) for column in columns])


def fuse(prior, stack, outlines):
    """Fuse axial slices: (slice, row, column) in and out."""
    axis = Axis.AXIAL
    fused = prior.fuse(axis.from_stack(stack), {axis: outlines}, SPACING_MM[::-1])
    return axis.to_stack(fused)


def every(masks, step):
    return {index: masks[index] for index in range(0, len(masks), step)}


def unprompted(masks, step):
    return masks[[index for index in range(len(masks)) if index % step]]


@pytest.mark.parametrize(("worth", "logit"), [(0.5, 0.5), (2.0, 0.1)])
def test_an_unsure_tracker_is_put_right_by_outlines_that_foretell_one_another(cone, worth, logit):
    fat = np.stack([disc(20, 24, 8 + 0.5 * k) for k in range(17)])
    unsure = np.where(cone, 4, np.where(fat, logit, -4)).astype(np.float32)
    assert dice(unprompted(unsure, 4) > 0, unprompted(cone, 4)) < 0.8
    fused = fuse(Shape(worth=worth), unsure, every(cone, 4))
    assert dice(unprompted(fused, 4) > 0, unprompted(cone, 4)) > 0.97


def test_a_tracker_that_lost_the_structure_leaves_it_to_the_outlines(cone):
    lost = logits(np.stack([disc(7, 9, 5)] * 17))
    fused = fuse(Shape(), lost, every(cone, 4))
    assert dice(unprompted(fused, 4) > 0, unprompted(cone, 4)) > 0.95


def test_outlines_that_do_not_foretell_one_another_are_not_heard(winding):
    # Outlines at 0, 2, 4 .. lie at the turns: the neighbours of each are on the other side.
    assert interpolation_worth(every(winding, 2), SPACING_MM, 0.1) < 0.05
    fused = fuse(Shape(), logits(winding, size=1.0), every(winding, 2))
    assert dice(unprompted(fused, 2) > 0, unprompted(winding, 2)) > 0.97


def test_what_interpolation_is_worth(cone):
    # Nothing can be left out of two outlines.
    assert interpolation_worth({0: cone[0], 16: cone[16]}, SPACING_MM, 0.1) == 0
    # A cylinder foretells itself wholly; of the same slope, more outlines are more reliable.
    straight = np.stack([disc(20, 24, 6)] * 17)
    three, five = (interpolation_worth(every(straight, step), SPACING_MM, 0.1) for step in (8, 4))
    assert 0 < three < five
    # An empty slice among them is no test.
    with_gap = {**every(straight, 8), 17: np.zeros(ROWS_COLUMNS, dtype=bool)}
    assert interpolation_worth(with_gap, SPACING_MM, 0.1) == pytest.approx(three)


def test_an_oblique_structure_is_aligned():
    oblique = np.stack([disc(8 + k, 6 + 2 * k, 3) for k in range(17)])
    lost = logits(np.stack([disc(33, 6, 3)] * 17))
    with_alignment, without = (
        fuse(Shape(align=align), lost, every(oblique, 4)) for align in (0.1, 0.0)
    )
    assert dice(unprompted(with_alignment, 4) > 0, unprompted(oblique, 4)) > 0.95
    assert dice(unprompted(without, 4) > 0, unprompted(oblique, 4)) < 0.6


def test_what_one_slice_says_by_itself_is_smoothed_away(cone):
    straight = np.stack([disc(20, 24, 6)] * 17)
    tracked = logits(straight, size=2.0)
    tracked[5, 20, 24] = -1.0
    # Two outlines: no prior, smoothing alone.
    smoothed = fuse(Shape(smooth=0.5), tracked, every(straight, 16))
    assert smoothed[5, 20, 24] < 0  # one slice's own word still counts most
    tracked[5, 20, 24] = -0.4
    assert fuse(Shape(smooth=0.5), tracked, every(straight, 16))[5, 20, 24] > 0
    assert fuse(Shape(smooth=0.0), tracked, every(straight, 16))[5, 20, 24] < 0


def test_a_sure_tracker_is_moved_by_no_more_than_the_limit(cone):
    tracked = logits(cone)
    fused = fuse(Shape(smooth=0), tracked, every(cone, 4))
    assert (np.abs(fused - np.clip(tracked, -8, 8))[1:4] <= PRIOR_LIMIT + 1e-5).all()


@pytest.mark.parametrize("option", ["align=-0.1", "align=2", "smooth=nan", "worth=0"])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(OptionError, match="of the shape prior is out of range"):
        PRIORS.parse(f"shape:{option}")


def test_what_the_outlines_of_two_axes_say_is_added_up_within_the_limit():
    i, j, k = np.indices((20, 22, 24))
    ball = (i - 9) ** 2 + (j - 11) ** 2 + (k - 12) ** 2 <= 64
    nothing = np.zeros(ball.shape, dtype=np.float32)
    one, other = (
        {axis: {n: axis.to_stack(ball)[n] for n in slices}}
        for axis, slices in ((Axis.AXIAL, (5, 9, 13, 18)), (Axis.SAGITTAL, (3, 7, 11, 15)))
    )
    said = [Shape().fuse(nothing, drawn, (1.0, 1.0, 1.0)) for drawn in (one, other, one | other)]
    within = (np.abs(said[0]) < PRIOR_LIMIT) & (np.abs(said[1]) < PRIOR_LIMIT)
    assert within.sum() > 1000
    expected = np.clip(said[0] + said[1], -PRIOR_LIMIT, PRIOR_LIMIT)
    np.testing.assert_allclose(said[2][within], expected[within], atol=1e-5)


def test_the_more_a_logit_is_worth_the_less_outlines_say(cone):
    fat = np.stack([disc(20, 24, 8 + 0.5 * k) for k in range(17)])
    rim = unprompted(fat & ~cone, 4)
    said = [
        unprompted(fuse(Shape(smooth=0, worth=worth), logits(fat, 2.0), every(cone, 4)), 4)[rim]
        for worth in (0.5, 2.0, 100.0)
    ]
    assert said[0].mean() + 0.2 < said[1].mean() < said[2].mean() == pytest.approx(2.0, abs=0.1)
