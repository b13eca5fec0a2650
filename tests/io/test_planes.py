"""Outlines on any plane of a label map: told where it shows, refused where it does not."""

import numpy as np
import pytest

import voxtrail.io as vio
from tests.scans import ORDERS, reorder
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import PromptError
from voxtrail.io.prompts.planes import decide, outlined

SHAPE = (24, 22, 20)
X, Y, Z = np.indices(SHAPE)
#: An ellipsoid that leans, in RAS+ voxels.
BODY = ((X - 12 - 0.3 * (Z - 10)) / 8) ** 2 + ((Y - 11) / 7) ** 2 + ((Z - 10) / 7) ** 2 <= 1


def drawn(**slices):
    """The body on some slices of planes."""
    mask = np.zeros(SHAPE, bool)
    for name, numbers in slices.items():
        axis = Axis.named(name)
        for number in numbers:
            part = np.moveaxis(mask, axis.value, 0)
            part[number] |= np.moveaxis(BODY, axis.value, 0)[number]
    return mask


CASES = [
    {"axial": (5, 10, 15)}, {"sagittal": (8, 12, 16)}, {"coronal": (6, 11, 15)},
    {"axial": (10,)}, {"coronal": (11,)}, {"sagittal": (12, 13, 14)}, {"axial": (9, 10)},
    {"axial": (10,), "coronal": (11,)}, {"axial": (8, 13), "sagittal": (12,)},
    {"axial": (10,), "coronal": (11,), "sagittal": (12,)},
]  # fmt: skip


@pytest.mark.parametrize("slices", CASES, ids=str)
def test_the_plane_is_told_from_the_map(slices):
    found = outlined(drawn(**slices))
    assert {axis.label: numbers for axis, numbers in found.items()} == slices


def test_small_and_scattered_outlines_are_told_too():
    rod = np.zeros(SHAPE, bool)
    rod[10:12, 10:12, [3, 9, 15]] = True
    assert outlined(rod) == {Axis.AXIAL: (3, 9, 15)}
    sheet = np.zeros(SHAPE, bool)
    sheet[10, 6:15, [3, 9, 15]] = True
    assert outlined(sheet) == {Axis.AXIAL: (3, 9, 15)}
    two = np.zeros(SHAPE, bool)
    two[2:6, 8:14, 7:10] = two[15:21, 8:14, 7:10] = True
    assert outlined(two) == {Axis.AXIAL: (7, 8, 9)}


def test_what_does_not_show_goes_by_what_is_said_or_is_refused():
    assert outlined(BODY) is None
    axial = {1: BODY}
    # Axial where it has the fewest slices of the three.
    fewest = {1: BODY[:, :, 4:15]}
    assert list(decide(fewest, (), "a.nii")[1]) == [Axis.AXIAL]
    thin = BODY[6:14]
    counts = [np.count_nonzero(thin.any(axis=axes)) for axes in ((0, 1), (0, 2), (1, 2))]
    said = "voxels on {} axial, {} coronal, {} sagittal slices".format(*counts)
    with pytest.raises(PromptError, match=f"cannot be told.*{said}.*--axes sagittal"):
        decide({1: thin}, (), "a.nii")
    for axis in Axis:
        assert list(decide(axial, (axis,), "a.nii")[1]) == [axis]
    # What another label shows decides.
    both = decide({1: thin, 2: drawn(sagittal=(8, 12))[6:14]}, (), "a.nii")
    assert list(both[1]) == [Axis.SAGITTAL]


@pytest.mark.parametrize("order", ORDERS[::7], ids=str)
@pytest.mark.parametrize("slices", CASES[1::3], ids=str)
def test_prompts_are_the_outlined_slices_in_any_order_of_storage(slices, order, tmp_path):
    mask = drawn(**slices)
    stored, affine = reorder(mask.astype(np.uint8) * 3, np.diag([1.0, 1.2, 2.0, 1.0]), order)
    scan = Volume.from_stored(np.zeros(stored.shape, np.int16), affine)
    vio.write(LabelMap.from_stored(stored, affine), tmp_path / "p.nii.gz")
    prompts = vio.read_prompts(tmp_path / "p.nii.gz", like=scan)
    for prompt in prompts.prompts:
        assert prompt.slice_index in slices[prompt.axis.label]
        wanted = prompt.axis.to_stack(mask)[prompt.slice_index]
        np.testing.assert_array_equal(prompt.mask, wanted)
    assert len(prompts.prompts) == sum(map(len, slices.values()))
    other = set(slices) != {"axial"}
    assert bool(prompts.notes) == other
    if other:
        (note,) = prompts.notes
        axis = Axis.named(next(iter(slices)))
        numbers = sorted(scan.stored.stored_index(axis.value, n)[1] for n in slices[axis.label])
        assert ", ".join(map(str, numbers)) in note


@pytest.mark.parametrize("slices", CASES, ids=str)
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_outlines_on_any_plane_are_written_and_read_again(slices, suffix, tmp_path):
    mask = drawn(**slices)
    stored, affine = reorder(mask, np.diag([1.0, 1.2, 2.0, 1.0]), ORDERS[17])
    scan = Volume.from_stored(stored.astype(np.int16), affine)
    made = tuple(
        MaskPrompt(4, Axis.named(name), number, Axis.named(name).to_stack(mask)[number])
        for name, numbers in slices.items()
        for number in numbers
    )
    vio.write_prompts(Prompts(made, scan.stored), tmp_path / f"p{suffix}")
    back = vio.read_prompts(tmp_path / f"p{suffix}", like=scan).prompts
    by_place = {(one.label, one.axis, one.slice_index): one.mask for one in back}
    assert len(by_place) == len(made)
    for one in made:
        np.testing.assert_array_equal(by_place[4, one.axis, one.slice_index], one.mask)


def test_each_label_has_its_own_plane(tmp_path):
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[drawn(axial=(4, 16))] = 1
    voxels[drawn(sagittal=(9,)) & (Z > 5) & (Z < 15)] = 2
    scan = Volume.from_stored(np.zeros(SHAPE, np.int16), np.eye(4))
    vio.write(LabelMap.from_stored(voxels, np.eye(4)), tmp_path / "p.nii.gz")
    prompts = vio.read_prompts(tmp_path / "p.nii.gz", like=scan)
    assert {(p.label, p.axis, p.slice_index) for p in prompts.prompts} == {
        (1, Axis.AXIAL, 4), (1, Axis.AXIAL, 16), (2, Axis.SAGITTAL, 9),
    }  # fmt: skip
