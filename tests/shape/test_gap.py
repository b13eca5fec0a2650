import numpy as np
import pytest

from voxtrail.shape import Gap, signed_distance_mm

PIXEL_MM = (1.5, 0.8)


def disc(row, column, radius=3, shape=(30, 40)):
    i, j = np.indices(shape)
    return (i - row) ** 2 + (j - column) ** 2 <= radius**2


def test_outlines_that_overlap_stay_where_they_are():
    first, last = disc(12, 12), disc(13, 14)
    gap = Gap.between(first, last, 4, PIXEL_MM, align=0.1)
    assert not gap.aligned
    np.testing.assert_array_equal(gap.first_mm, signed_distance_mm(first, PIXEL_MM))
    slices = np.random.default_rng(0).normal(size=(3, 30, 40))
    np.testing.assert_array_equal(gap.place(slices, fill=0), slices)


def test_outlines_that_do_not_overlap_are_brought_onto_one_another():
    gap = Gap.between(disc(5, 30), disc(21, 6), 8, PIXEL_MM, align=0.1)
    assert gap.aligned
    np.testing.assert_array_equal(gap.first_mm > 0, gap.last_mm > 0)
    # 2 rows down and 3 columns to the left a slice: a disc that goes that way stands still.
    oblique = np.stack([disc(5 + 2 * k, 30 - 3 * k) for k in range(1, 8)])
    framed = gap.place(oblique, fill=False)
    for picture in framed:
        np.testing.assert_array_equal(picture, gap.first_mm > 0)
    blend_mm = (1 - gap.weights()) * gap.first_mm + gap.weights() * gap.last_mm
    np.testing.assert_array_equal(blend_mm > 0, framed)
    np.testing.assert_array_equal(gap.cut(framed), oblique)


def test_a_tip_inside_a_large_section_is_not_moved():
    tip, section = disc(12, 12, radius=1), disc(15, 18, radius=9)
    assert (tip & section).sum() == tip.sum()  # their Dice is .03
    assert not Gap.between(tip, section, 4, PIXEL_MM, align=0.3).aligned


def test_nothing_is_moved_where_nothing_is_to_be_aligned():
    assert not Gap.between(disc(5, 30), disc(21, 6), 8, PIXEL_MM, align=0).aligned


@pytest.mark.parametrize("at", [1, 3])
def test_to_place_and_to_cut_undo_each_other(at):
    gap = Gap.between(disc(5, 30), disc(21, 6), 7, PIXEL_MM, align=0.1)
    slices = np.random.default_rng(0).normal(size=(7 - at, 30, 40)).astype(np.float32)
    framed = gap.place(slices, fill=-8.0, at=at)
    assert framed.dtype == np.float32
    assert (framed == -8).sum() == framed.size - slices.size
    np.testing.assert_array_equal(gap.cut(framed, at=at), slices)
