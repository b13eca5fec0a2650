"""Windows that move only as far as what is drawn later asks for, worked by hand."""

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.crop_path import CropPath
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import MaskPrompt, PointPrompt
from voxtrail.preprocess.crop import around_prompts
from voxtrail.preprocess.reroute import rerouted

GRID = Grid((40, 50, 60), np.eye(4))
BOUNDS = Box.whole(GRID.shape)
AXIS = Axis.SAGITTAL


def section(index, rows, columns):
    """Return an outline that fills RAS+ voxels ``rows`` and ``columns`` of one sagittal slice."""
    volume = np.zeros(GRID.shape, dtype=bool)
    volume[index, slice(*columns), slice(*rows)] = True
    return MaskPrompt(1, AXIS, index, AXIS.to_stack(volume)[index])


DRAWN = [
    section(10, (10, 12), (8, 12)),
    section(13, (16, 18), (20, 24)),
    section(16, (19, 21), (8, 12)),
]


@pytest.fixture
def held():
    """Windows of 4 x 6 voxels, a margin of one, along three sections."""
    between = ((9, 7), (11, 11), (13, 15), (15, 19), (16, 15), (17, 11), (18, 7))
    return CropPath(AXIS, 0, (4, 6), ((9, 7),) * 10 + between + ((18, 7),) * 23)


def test_what_the_windows_hold_moves_none(held):
    drawn = [*DRAWN, section(11, (11, 15), (11, 17))]
    assert rerouted(held, drawn, GRID, BOUNDS, 1.0) is held


def test_a_section_outside_moves_its_window_and_those_up_to_its_neighbours(held):
    # On slice 11 the window is rows 11 to 15, columns 11 to 17; the section reaches row 17.
    drawn = [*DRAWN, section(11, (15, 17), (12, 16))]
    moved = rerouted(held, drawn, GRID, BOUNDS, 1.0)
    assert moved.size == held.size
    changed = [i for i in range(40) if moved.starts[i] != held.starts[i]]
    # Slice 12 lies halfway between 11 and 13, where the window stands at row 15.
    assert changed == [11, 12]
    assert moved.starts[10:14] == ((9, 7), (14, 11), (15, 15), (15, 19))


def test_a_section_beyond_the_last_moves_what_lies_beyond(held):
    drawn = [*DRAWN, section(20, (31, 33), (8, 12))]
    moved = rerouted(held, drawn, GRID, BOUNDS, 1.0)
    assert moved.starts[:17] == held.starts[:17]
    assert moved.starts[16:] == (
        (18, 7), (21, 7), (24, 7), (27, 7), *[(30, 7)] * 20,
    )  # fmt: skip


def test_a_section_too_large_widens_all_windows(held):
    drawn = [*DRAWN, section(13, (14, 21), (20, 24))]
    moved = rerouted(held, drawn, GRID, BOUNDS, 1.0)
    # Seven rows and one: 4 grows to 6 and 8, two on each side.
    assert moved.size == (8, 6)
    assert moved.starts[0] == (held.starts[0][0] - 2, held.starts[0][1])
    assert moved.starts[13] == (13, 19)


def test_a_click_outside_is_held_too(held):
    # Columns and rows run against the body: voxel (11, 20, 15) in columns and rows.
    click = PointPrompt(1, AXIS, 11, ((50 - 1 - 20, 60 - 1 - 15),), (True,))
    moved = rerouted(held, [*DRAWN, click], GRID, BOUNDS, 1.0)
    box = moved.box(11)
    assert box.start[1] <= 20 < box.stop[1]
    assert box.start[2] <= 15 < box.stop[2]


def test_rerouted_windows_stay_within_the_bounds(held):
    drawn = [*DRAWN, section(30, (57, 60), (0, 3))]
    moved = rerouted(held, drawn, GRID, BOUNDS, 1.0)
    assert moved.starts[30] == (56, 0)
    assert BOUNDS.contains(moved.hull())


@pytest.mark.parametrize("seed", range(20))
def test_every_section_is_held_and_once_is_enough(held, seed):
    rng = np.random.default_rng(seed)
    path, drawn = held, list(DRAWN)
    for index in rng.permutation(40)[:6]:
        row, column = rng.integers(0, (50, 40))
        rows, columns = rng.integers(1, 9, size=2)
        drawn = [one for one in drawn if one.slice_index != index]
        drawn.append(section(int(index), (row, row + rows), (column, column + columns)))
        path = rerouted(path, drawn, GRID, BOUNDS, 3.0)
        assert rerouted(path, drawn, GRID, BOUNDS, 3.0) is path
        assert BOUNDS.contains(path.hull())
        for one in drawn:
            marked = around_prompts([one], GRID.shape, (1.0, 1.0, 1.0), 0.0)
            assert path.box(one.slice_index).contains(marked)
