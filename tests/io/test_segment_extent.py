"""Slicer's segmentations, which are saved as far as their segments reach."""

import numpy as np
import pytest

import voxtrail.io as vio
from voxtrail.core.axis import Axis
from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError
from voxtrail.io.partial_grid import on_grid


def cut(labels, corner, shape, *, moved_voxels=0.0) -> LabelMap:
    """Labels on a part of their stored grid, which begins at ``corner`` and may stick out."""
    affine = labels.stored.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ (np.array(corner) + moved_voxels)
    voxels = np.zeros(shape, np.uint8)
    whole = labels.to_stored()
    for index in np.argwhere(whole):
        place = index - corner
        if (place >= 0).all() and (place < shape).all():
            voxels[tuple(place)] = whole[tuple(index)]
    return LabelMap.from_stored(voxels, affine, {1: "hip", 7: "rib"})


@pytest.mark.parametrize("corner", [(0, 0, 0), (1, 1, 1), (-2, 0, 1), (-3, -3, -3)])
def test_parts_of_the_grid_are_put_back_where_they_were(labels, corner):
    part = cut(labels, corner, (9, 9, 8))
    back = on_grid(part, labels.stored)
    np.testing.assert_array_equal(back.voxels, labels.voxels)
    assert back.stored.same_as(labels.stored)
    assert back.names == {1: "hip", 7: "rib"}


def test_other_grids_and_labels_outside_are_not(labels, affine):
    assert on_grid(cut(labels, (1, 1, 1), (4, 4, 4), moved_voxels=0.01), labels.stored) is None
    larger = np.zeros((5, 6, 9), np.uint8)
    larger[0, 0, 8] = 1
    assert on_grid(LabelMap.from_stored(larger, affine), labels.stored) is None
    wider = affine @ np.diag([1.01, 1, 1, 1])
    assert on_grid(LabelMap.from_stored(labels.to_stored(), wider), labels.stored) is None
    away = cut(labels, (100, 0, 0), (3, 3, 3))
    assert not on_grid(away, labels.stored).voxels.any()


def test_prompts_from_slicer_need_not_fill_the_grid(labels, scan, tmp_path):
    part = cut(labels, (1, 1, 1), (4, 5, 5))
    vio.write(part, tmp_path / "drawn.seg.nrrd")
    vio.write(part, tmp_path / "drawn.nrrd")
    prompts = vio.read_prompts(tmp_path / "drawn.seg.nrrd", like=scan)
    assert prompts.names == {1: "hip", 2: "2", 7: "rib"}
    assert prompts.labels() == (1, 2, 7)
    stack = Axis.AXIAL.to_stack(labels.voxels)
    for prompt in prompts.prompts:
        np.testing.assert_array_equal(prompt.mask, stack[prompt.slice_index] == prompt.label)
    # Of other formats the whole grid is asked for.
    with pytest.raises(GridError):
        vio.read_prompts(tmp_path / "drawn.nrrd", like=scan)
