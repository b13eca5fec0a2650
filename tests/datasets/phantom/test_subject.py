"""The phantom as a radiologist would check it: what is there, where, and how bright."""

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from voxtrail.datasets.phantom import CYCLE, REGIONS, demo_subject, make_subject
from voxtrail.errors import OptionError

BONE_TYPES = {
    "vertebrae", "rib", "humerus", "clavicula", "hip", "scapula", "femur", "sacrum", "sternum",
    "skull",
}  # fmt: skip
EVERYWHERE = np.ones((3, 3, 3))


def slices(mask):
    return int(mask.any(axis=(0, 1)).sum())


def pieces(mask):
    return ndimage.label(mask, structure=EVERYWHERE)[1]


def cut(mask):
    """Whether the border of the scan cuts a structure."""
    return any(np.take(mask, end, axis=axis).any() for axis in range(3) for end in (0, -1))


def digest(subject):
    parts = [subject.hu.tobytes(), subject.affine.tobytes()]
    parts += [name.encode() + np.packbits(m).tobytes() for name, m in subject.masks.items()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture(params=["demo", "pelvis", "thorax", "head"])
def subject(request):
    return request.getfixturevalue(request.param)


def test_three_regions_show_all_ten_bone_types_on_more_than_six_slices(pelvis, thorax, head):
    seen = {
        name.split("_")[0]
        for subject in (pelvis, thorax, head)
        for name, mask in subject.masks.items()
        if slices(mask) > 6
    }
    assert seen == BONE_TYPES


def test_ten_subjects_show_the_rarest_types_four_times():
    first = CYCLE[:10]
    assert sum(region in {"pelvis", "thigh"} for region in first) >= 4  # sacrum, hips, femurs
    assert sum(region in {"thorax", "neck"} for region in first) >= 4  # sternum, shoulders, ribs
    assert sum(region in {"head", "neck"} for region in first) >= 4  # skull
    assert {"pelvis", "thorax", "head"} <= set(CYCLE[:4])


def test_masks_are_disjoint_and_on_the_grid_of_the_scan(subject):
    assert subject.hu.dtype == np.int16
    total = sum(mask.astype(int) for mask in subject.masks.values())
    assert total.shape == subject.hu.shape
    assert total.max() == 1


def test_uncut_bones_are_one_piece(subject):
    whole = {name: mask for name, mask in subject.masks.items() if not cut(mask)}
    broken = [name for name, mask in whole.items() if pieces(mask) != 1]
    assert whole
    assert not broken


def test_bones_are_brighter_than_what_is_round_them(subject):
    bones = np.logical_or.reduce(list(subject.masks.values()))
    near = ndimage.binary_dilation(bones, iterations=4) & ~ndimage.binary_dilation(
        bones, iterations=2
    )
    assert 150 < np.median(subject.hu[bones]) < 900
    assert np.median(subject.hu[near]) < 80
    assert np.percentile(subject.hu[bones], 2) > -250


def test_cortex_is_brighter_than_marrow_which_comes_near_soft_tissue(pelvis):
    femur = pelvis.masks["femur_left"]
    core = ndimage.binary_erosion(femur, iterations=3)
    rim = femur & ~ndimage.binary_erosion(femur)
    assert np.median(pelvis.hu[rim]) > 1.5 * np.median(pelvis.hu[core])
    assert np.percentile(pelvis.hu[core], 5) < 120


def test_air_fat_and_muscle_have_their_hounsfield_units(pelvis):
    values, counts = np.unique(pelvis.hu // 10 * 10, return_counts=True)
    mode = dict(zip(values.tolist(), counts.tolist(), strict=True))
    for low, high in ((-1024, -960), (-130, -70), (20, 80)):
        inside = sum(n for value, n in mode.items() if low <= value < high)
        assert inside > 0.05 * pelvis.hu.size


def test_air_fills_lungs_and_not_marrow(thorax):
    air = (thorax.hu < -700) & (thorax.hu > -950)
    assert air.mean() > 0.05
    bones = np.logical_or.reduce(list(thorax.masks.values()))
    assert not (ndimage.binary_erosion(bones) & air).any()


@pytest.mark.parametrize("name", ["vertebrae_L5", "vertebrae_L4"])
def test_the_vertebral_foramen_is_open_and_ringed_by_bone(demo, name):
    mask = demo.masks[name]
    rings = [
        k
        for k in range(mask.shape[2])
        if (ndimage.binary_fill_holes(mask[:, :, k]) & ~mask[:, :, k]).sum() > 8
    ]
    assert rings


def test_the_skull_is_hollow_and_the_jaw_is_not_part_of_it(head):
    skull = head.masks["skull"]
    slabs = [np.count_nonzero(ndimage.binary_fill_holes(s) & ~s) for s in np.moveaxis(skull, 2, 0)]
    assert max(slabs) > 5 * skull.any(axis=2).sum() / 10
    bright = (head.hu > 500) & ~ndimage.binary_dilation(
        np.logical_or.reduce(list(head.masks.values())), iterations=2
    )
    assert bright.sum() > 100


def test_ribs_slope_down_from_back_to_front(thorax):
    for name in ("rib_left_5", "rib_right_6"):
        _, j, k = np.nonzero(thorax.masks[name])
        back, front = k[j < np.percentile(j, 20)].mean(), k[j > np.percentile(j, 80)].mean()
        assert (back - front) * thorax.affine[2, 2] > 30


def test_left_is_on_the_left_and_the_spine_is_in_order(thorax):
    def centre(name):
        return (thorax.affine @ [*np.mean(np.nonzero(thorax.masks[name]), axis=1), 1])[:3]

    assert centre("scapula_left")[0] < 0 < centre("scapula_right")[0]
    heights = [centre(f"vertebrae_T{n}")[2] for n in range(12, 1, -1)]
    assert heights == sorted(heights)
    assert centre("sternum")[1] > centre("vertebrae_T6")[1] + 60


def test_neighbours_keep_a_gap_but_nearly_touch(demo):
    lower, upper = demo.masks["vertebrae_L5"], demo.masks["vertebrae_L4"]
    gap = ndimage.distance_transform_edt(~lower, sampling=np.diag(demo.affine)[:3])[upper]
    assert 0 < gap.min() < 8


def test_the_demo_is_small(demo):
    assert 35 <= demo.hu.shape[2] <= 48
    assert sum(slices(mask) > 6 for mask in demo.masks.values()) >= 4


def test_equal_seeds_give_equal_subjects_and_others_differ(demo):
    assert digest(demo_subject()) == digest(demo)
    assert digest(make_subject(1, region="demo")) != digest(demo)
    assert digest(make_subject(0, 1, "demo")) != digest(demo)


def test_bad_requests_are_refused():
    with pytest.raises(OptionError, match=r"unknown; received: tail; accepted: .*pelvis"):
        make_subject(0, region="tail")
    with pytest.raises(OptionError, match="negative"):
        make_subject(-1)


def test_every_region_of_the_cycle_is_known():
    assert set(CYCLE) < set(REGIONS)
