"""Windows that follow a structure, worked by hand on anisotropic voxels and every axis."""

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt
from voxtrail.errors import OptionError, PromptError
from voxtrail.preprocess import around_prompts
from voxtrail.preprocess.follow import fitting_margin_mm, plan_crop

GRID = Grid((40, 50, 60), np.diag([1.0, 2.0, 4.0, 1.0]))
BOUNDS = Box.whole(GRID.shape)


def section(axis, index, rows, columns, label=1):
    """Return an outline that fills RAS+ voxels ``rows`` and ``columns`` of one slice."""
    volume = np.zeros(GRID.shape, dtype=bool)
    where: list[slice | int] = [0, 0, 0]
    where[axis.value] = index
    where[axis.row_axis] = slice(*rows)
    where[axis.column_axis] = slice(*columns)
    volume[tuple(where)] = True
    return MaskPrompt(label, axis, index, axis.to_stack(volume)[index])


def slanted(axis):
    """Three sections of 2 x 4 voxels: rows move by 6 and 3, columns by 12 and back."""
    return [
        section(axis, 10, (10, 12), (8, 12)),
        section(axis, 13, (16, 18), (20, 24)),
        section(axis, 16, (19, 21), (8, 12)),
    ]


@pytest.mark.parametrize("axis", Axis)
def test_windows_run_on_straight_lines_through_the_sections(axis):
    plan = plan_crop(slanted(axis), axis, GRID, BOUNDS, margin_mm=4.0)
    rows_vox, columns_vox = (
        int(4.0 / GRID.spacing_mm[along]) for along in (axis.row_axis, axis.column_axis)
    )
    assert plan.follows
    # The box around all is 11 x 16 voxels, a section's 2 x 4.
    assert plan.ratio == 11 * 16 / 8
    assert plan.path.first == 0
    assert len(plan.path) == GRID.shape[axis.value]
    assert plan.path.size == (2 + 2 * rows_vox, 4 + 2 * columns_vox)
    starts = plan.path.starts
    # Rows 2, 2 and 2, then 1, 1 and 1 a slice; columns 4 up and 4 down.
    expected = [(10, 8), (12, 12), (14, 16), (16, 20), (17, 16), (18, 12), (19, 8)]
    assert starts[10:17] == tuple((row - rows_vox, col - columns_vox) for row, col in expected)
    # Beyond the outermost sections it stays.
    assert set(starts[:10]) == {starts[10]}
    assert set(starts[17:]) == {starts[16]}


@pytest.mark.parametrize("axis", Axis)
def test_every_section_lies_in_its_window_with_the_margin(axis):
    """Sections of uneven sizes, so that centres fall between voxels."""
    drawn = [
        section(axis, 10, (10, 13), (8, 12)),
        section(axis, 13, (18, 20), (25, 30)),
        section(axis, 15, (22, 25), (8, 11)),
    ]
    plan = plan_crop(drawn, axis, GRID, BOUNDS, margin_mm=4.0)
    assert plan.follows
    margin = [0, 0, 0]
    for along in (axis.row_axis, axis.column_axis):
        margin[along] = int(4.0 / GRID.spacing_mm[along])
    for prompt in drawn:
        held = around_prompts([prompt], GRID.shape, (1.0, 1.0, 1.0), 0.0)
        start = tuple(low - by for low, by in zip(held.start, margin, strict=True))
        stop = tuple(high + by for high, by in zip(held.stop, margin, strict=True))
        assert plan.path.box(prompt.slice_index).contains(Box(start, stop))


@pytest.mark.parametrize("axis", Axis)
def test_a_straight_structure_has_the_fixed_box(axis):
    drawn = [section(axis, 10, (10, 20), (8, 18)), section(axis, 16, (12, 22), (9, 19))]
    plan = plan_crop(drawn, axis, GRID, BOUNDS, margin_mm=4.0)
    assert not plan.follows
    assert not plan.path.moves
    box = around_prompts(drawn, GRID.shape, GRID.spacing_mm, 4.0)
    assert plan.path.hull() == box.with_range(axis, 0, GRID.shape[axis.value])
    assert plan.ratio == 12 * 11 / 100
    assert "only 1.3 times" in plan.why


def test_windows_stay_within_the_bounds():
    axis = Axis.AXIAL
    bounds = Box((5, 10, 3), (25, 32, 20))
    drawn = [section(axis, 4, (10, 12), (5, 8)), section(axis, 18, (29, 32), (22, 25))]
    plan = plan_crop(drawn, axis, GRID, bounds, margin_mm=4.0)
    assert plan.follows
    assert (plan.path.first, plan.path.stop) == (3, 20)
    assert plan.path.size == (7, 11)
    assert all(bounds.contains(plan.path.box(index)) for index in range(3, 20))
    # On the first section the margin would reach 8 and 1, on the last one 34 and 29.
    assert plan.path.starts[1] == (10, 5)
    assert plan.path.starts[15] == (25, 14)


def test_a_window_is_no_larger_than_the_bounds():
    axis = Axis.AXIAL
    bounds = Box((5, 10, 3), (25, 32, 20))
    drawn = [section(axis, 4, (10, 12), (5, 8)), section(axis, 18, (29, 32), (22, 25))]
    plan = plan_crop(drawn, axis, GRID, bounds, margin_mm=100.0)
    assert plan.path.hull() == bounds


def test_boxes_are_followed_as_outlines_are():
    masks = slanted(Axis.AXIAL)
    boxes = []
    for prompt in masks:
        rows, columns = np.nonzero(prompt.mask)
        corners = (columns.min(), rows.min(), columns.max(), rows.max())
        boxes.append(BoxPrompt(1, Axis.AXIAL, prompt.slice_index, tuple(map(float, corners))))
    plans = [plan_crop(drawn, Axis.AXIAL, GRID, BOUNDS, 4.0) for drawn in (masks, boxes)]
    assert plans[0] == plans[1]


def test_a_moving_window_holds_what_was_clicked():
    drawn = slanted(Axis.AXIAL)
    # Halfway between the first two sections, at voxel (30, 14, 12): 12 right of the centre.
    click = PointPrompt(1, Axis.AXIAL, 12, ((9.0, 35.0),), (True,))
    plan = plan_crop([*drawn, click], Axis.AXIAL, GRID, BOUNDS, 0.0)
    assert plan.follows
    # Twice the centre on slice 12 is 36, twice the click's end 62.
    assert plan.path.size == (2, 26)
    box = plan.path.box(12)
    assert box.start[0] <= 30 < box.stop[0]


def test_clicks_off_the_structure_change_nothing():
    drawn = slanted(Axis.AXIAL)
    click = PointPrompt(1, Axis.AXIAL, 12, ((0.0, 0.0),), (False,))
    plans = [plan_crop(given, Axis.AXIAL, GRID, BOUNDS) for given in (drawn, [*drawn, click])]
    assert plans[0].path == plans[1].path


def test_clicks_alone_are_not_followed():
    clicks = [PointPrompt(1, Axis.AXIAL, index, ((20.0, 25.0),), (True,)) for index in (10, 20)]
    plan = plan_crop(clicks, Axis.AXIAL, GRID, BOUNDS)
    assert not plan.follows
    assert plan.ratio is None
    assert "nothing but clicks" in plan.why


def test_an_outline_of_another_axis_gives_the_fixed_box():
    """What crosses the slices is no section of theirs."""
    drawn = slanted(Axis.CORONAL)
    plan = plan_crop(drawn, Axis.AXIAL, GRID, BOUNDS, 4.0)
    assert not plan.follows
    box = around_prompts(drawn, GRID.shape, GRID.spacing_mm, 4.0)
    assert plan.path.hull() == box.with_range(Axis.AXIAL, 0, 60)


def test_one_section_gives_the_fixed_box():
    plan = plan_crop(slanted(Axis.AXIAL)[:1], Axis.AXIAL, GRID, BOUNDS)
    assert not plan.follows
    assert plan.ratio == 1.0
    assert "one axial section" in plan.why


def test_a_slice_without_the_structure_is_no_section():
    drawn = slanted(Axis.AXIAL)
    empty = MaskPrompt(1, Axis.AXIAL, 12, np.zeros((50, 40), dtype=bool))
    plans = [plan_crop(given, Axis.AXIAL, GRID, BOUNDS) for given in (drawn, [*drawn, empty])]
    assert plans[0].path == plans[1].path


def test_nothing_drawn_is_refused():
    with pytest.raises(PromptError, match="nothing was drawn"):
        plan_crop([], Axis.AXIAL, GRID, BOUNDS)


def test_a_margin_that_is_none_is_refused():
    with pytest.raises(OptionError, match="0 mm or more"):
        plan_crop(slanted(Axis.AXIAL), Axis.AXIAL, GRID, BOUNDS, -1.0)


@pytest.mark.parametrize(
    ("rows", "columns", "margin_mm"),
    [
        (2, 4, 5.0),  # 4 x 4 mm: no less than 5
        (4, 8, 8.0),  # 8 x 8 mm
        (2, 16, 8.0),  # 4 x 16 mm: as much area
        (40, 38, 10.0),  # 80 x 38 mm: no more than 10
    ],
)
def test_the_margin_is_a_sections_side_within_limits(rows, columns, margin_mm):
    drawn = [section(Axis.AXIAL, 10, (5, 5 + rows), (1, 1 + columns))]
    assert fitting_margin_mm(drawn, GRID) == pytest.approx(margin_mm)


def test_the_margin_fits_the_median_section():
    drawn = [section(Axis.AXIAL, index, (5, 9), (1, 9)) for index in (3, 7)]
    drawn.append(section(Axis.AXIAL, 12, (5, 45), (1, 39)))
    assert fitting_margin_mm(drawn, GRID) == pytest.approx(8.0)


def test_a_plan_is_written_as_plain_values():
    plan = plan_crop(slanted(Axis.AXIAL), Axis.AXIAL, GRID, BOUNDS, margin_mm=4.0)
    assert plan.to_json() == {
        "path": plan.path.to_json(),
        "follows": True,
        "why": "the box around all sections is 22.0 times the largest section's",
        "ratio": 22.0,
        "margin_mm": 4.0,
    }
