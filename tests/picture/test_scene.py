from dataclasses import replace

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError
from voxtrail.picture.scene import Scene


@pytest.fixture
def scene(volume, labels, prompts):
    return Scene.around(volume, labels, prompts)


def test_the_part_is_the_labels_with_15_mm_around(scene):
    # 15 mm are 15, 8 (7.5 rounded) and 4 (3.75) voxels.
    assert scene.start == (25, 2, 1)
    assert scene.labels.shape == scene.hu.shape == (60 - 25, 28 - 2, 17 - 1)
    assert scene.size_mm == (35, 52, 64)
    assert scene.pixel_mm(Axis.CORONAL) == (4, 1)


def test_nothing_labelled_is_the_whole_scan(volume, labels):
    empty = LabelMap(np.zeros_like(labels.voxels), labels.stored)
    scene = Scene.around(volume, empty, None)
    assert scene.hu.shape == volume.voxels.shape
    assert scene.spread(Axis.AXIAL, 3) == [0, 10, 19]
    assert scene.fullest(Axis.CORONAL) == 20
    assert scene.prompted(Axis.AXIAL) == {}


def test_slices_are_spread_over_the_labels_ends_included(scene):
    assert scene.spread(Axis.AXIAL, 3) == [4, 8, 11]  # of 4..11 within the part; 7.5 rounds to 8
    assert scene.spread(Axis.AXIAL, 99) == list(range(4, 12))


def test_a_slice_beside_a_prompted_one_gives_way_to_it(scene, prompts):
    between = replace(prompts.prompts[0], slice_index=scene.start[2] + 7)
    drawn = replace(scene, prompts=replace(prompts, prompts=(between,)))
    assert drawn.spread(Axis.AXIAL, 3) == [4, 7, 11]
    beside_an_end = replace(between, slice_index=scene.start[2] + 5)
    drawn = replace(scene, prompts=replace(prompts, prompts=(beside_an_end,)))
    assert drawn.spread(Axis.AXIAL, 3) == [4, 8, 11]
    many = tuple(replace(between, slice_index=scene.start[2] + at) for at in (7, 9))
    drawn = replace(scene, prompts=replace(prompts, prompts=many))
    assert drawn.spread(Axis.AXIAL, 3) == [4, 8, 11]


def test_slices_are_numbered_as_stored(scene):
    # Stored right to left and front to back: those indices count from the other end.
    assert scene.stored_name(Axis.AXIAL, 4) == "k 5"
    assert scene.stored_name(Axis.SAGITTAL, 15) == f"i {59 - 40}"
    assert scene.stored_name(Axis.CORONAL, 8) == f"j {39 - 10}"


def test_prompted_slices_count_within_the_part(scene):
    assert scene.prompted(Axis.AXIAL) == {4: [2], 11: [2]}
    assert scene.prompted(Axis.CORONAL) == {}


def test_the_fullest_slice(scene):
    assert scene.fullest(Axis.AXIAL) == 4


def test_other_grids_are_refused(volume, labels, prompts):
    affine = labels.stored.affine.copy()
    affine[0, 3] += 3
    moved = LabelMap.from_stored(labels.to_stored(), affine)
    with pytest.raises(GridError, match="the labels and the scan lie on different grids"):
        Scene.around(volume, moved, None)
    with pytest.raises(GridError, match="the prompts and the scan"):
        Scene.around(type(volume)(volume.voxels, moved.stored), moved, prompts)
