import numpy as np
import pytest

from voxtrail.baselines.signed_distance import SignedDistance
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.errors import OptionError

SHAPE = (21, 21, 9)


def square(half, center=(10, 10)):
    mask = np.zeros(SHAPE[:2], dtype=bool)
    x, y = center
    mask[x - half : x + half + 1, y - half : y + half + 1] = True
    return mask


def interpolate(masks, spacing_mm=(1.0, 1.0, 2.5), align=0.0):
    """Return RAS+ slices interpolated between axial outlines by slice."""
    prompts = []
    for index, mask in masks.items():
        volume = np.zeros(SHAPE, dtype=bool)
        volume[..., index] = mask
        prompts.append(MaskPrompt(1, Axis.AXIAL, index, Axis.AXIAL.to_stack(volume)[index]))
    result = SignedDistance(align).interpolate(prompts, SHAPE, spacing_mm)
    return {index: result[..., index] for index in range(SHAPE[2])}


def test_a_pyramid_by_hand():
    # On the middle row, x from the centre: 3 - x in the small square and -(x - 2) outside it,
    # 7 - x in the large one.
    slices = interpolate({2: square(2), 6: square(6)})
    # Halfway: (2 - x) + (7 - x) > 0 up to x = 4; its corner: -sqrt(8) + 3 > 0 is inside.
    np.testing.assert_array_equal(slices[4], square(4))
    # A quarter: 3 (2 - x) + (7 - x) > 0 up to x = 3; its corner: -3 sqrt(2) + 4 < 0 is not.
    expected = square(3)
    expected[[7, 7, 13, 13], [7, 13, 7, 13]] = False
    np.testing.assert_array_equal(slices[3], expected)
    assert not slices[1].any()
    assert not slices[7].any()


def test_a_square_that_moves_by_hand():
    # From x = 6..10 to x = 8..12: at x = 7 the first is 2 deep (1 at its edges), the second 1 off.
    slices = interpolate({3: square(2, (8, 10)), 5: square(2, (10, 10))})
    expected = square(2, (9, 10))
    expected[[7, 7, 11, 11], [8, 12, 8, 12]] = False  # 1 - 1 = 0 is outside
    np.testing.assert_array_equal(slices[4], expected)


def test_parts_too_far_apart_do_not_meet():
    slices = interpolate({3: square(2, (4, 10)), 5: square(2, (16, 10))})
    assert not slices[4].any()


def test_parts_too_far_apart_meet_where_they_are_aligned():
    slices = interpolate({3: square(2, (4, 10)), 5: square(2, (16, 10))}, align=0.1)
    np.testing.assert_array_equal(slices[4], square(2, (10, 10)))


def test_alignment_changes_nothing_where_outlines_overlap():
    outlines = {2: square(2), 6: square(6, (9, 12))}
    plain, aligned = interpolate(outlines), interpolate(outlines, align=0.1)
    for index, expected in plain.items():
        np.testing.assert_array_equal(aligned[index], expected)


def test_alignment_is_a_share():
    with pytest.raises(OptionError, match=r"received: 1\.5"):
        SignedDistance(align=1.5)


def test_distances_are_in_mm():
    # A slab 1 pixel thick in x and one in y, crossing: what survives halfway is decided by
    # which way is farther. Pixels 1 mm x 3 mm: from the row's centre (inside by 3 mm) the other
    # slab is 1 mm a pixel away, from the column's (inside by 1 mm) it is 3 mm a pixel away.
    row, column = np.zeros(SHAPE[:2], dtype=bool), np.zeros(SHAPE[:2], dtype=bool)
    row[5:16, 10] = True  # along x: its nearest outside is a neighbour in y, 3 mm away
    column[10, 5:16] = True  # along y: its nearest outside is a neighbour in x, 1 mm away
    halfway = interpolate({3: row, 5: column}, spacing_mm=(1.0, 3.0, 2.5))[4]
    expected = np.zeros(SHAPE[:2], dtype=bool)
    expected[8:13, 10] = True  # x pixels away: 3 - x > 0
    np.testing.assert_array_equal(halfway, expected)


@pytest.mark.parametrize("steps", [2, 4, 8])
def test_a_cone_grows_evenly(steps):
    i, j = np.indices(SHAPE[:2]) - 10
    disc = {radius: i**2 + j**2 <= radius**2 for radius in (1, 9)}
    slices = interpolate({0: disc[1], steps: disc[9]})
    areas = np.array([slices[index].sum() for index in range(steps + 1)])
    radii = np.sqrt(areas / np.pi)
    np.testing.assert_allclose(radii, np.linspace(1, 9, steps + 1), atol=0.5)
