"""A scan in, a label map in and out: what is kept, and what is refused with which words."""

import gzip
import os

import nibabel as nib
import numpy as np
import pytest

import voxtrail.io as vio
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import ImageError, InputError, OutputError

CUBE = np.zeros((3, 4, 5), np.int16)


def test_the_same_scan_in_every_axis_order_is_one_canonical_volume(
    voxels, affine, order, reordered, nifti
):
    stored, moved = reordered(voxels, affine, order)
    first = Volume.from_stored(voxels, affine)
    read = vio.read(nifti(stored, moved))
    assert read.voxels.dtype == np.int16
    np.testing.assert_array_equal(read.voxels, first.voxels)
    np.testing.assert_allclose(read.grid.affine, first.grid.affine, atol=1e-4)


def test_labels_are_written_on_the_stored_grid_to_the_last_bit(
    labels, affine, order, reordered, nifti, tmp_path
):
    stored, moved = reordered(labels.to_stored(), affine, order)
    source = nifti(stored.astype(np.int16), moved, "ct.nii.gz")
    scan = vio.read(source)
    found = LabelMap(vio.read_labels(source).voxels, scan.stored)
    vio.write(found, tmp_path / "out.nii.gz")
    before, after = nib.load(source), nib.load(tmp_path / "out.nii.gz")
    assert after.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(after.dataobj), stored)
    assert before.affine.tobytes() == after.affine.tobytes()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_an_oblique_left_handed_scan_survives_every_format(suffix, scan, tmp_path):
    vio.write(scan, tmp_path / f"scan{suffix}")
    read = vio.read(tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(read.voxels, scan.voxels)
    assert read.voxels.dtype == scan.voxels.dtype
    assert read.stored.orientation() == scan.stored.orientation()
    # MetaImage splits the affine into directions and voxel sizes, whose product rounds.
    exact = suffix != ".mha"
    np.testing.assert_allclose(
        read.stored.affine, scan.stored.affine, rtol=0 if exact else 1e-14, atol=0
    )


def test_the_corner_voxel_keeps_its_place_in_the_patient(tmp_path):
    # Index (0, 0, 0) lies at (-10, 20, 30) RAS, one step along i goes 2 mm to the left.
    affine = np.array([[-2.0, 0, 0, -10], [0, 0, 3, 20], [0, -4, 0, 30], [0, 0, 0, 1]])
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        path = tmp_path / f"scan{suffix}"
        vio.write(Volume.from_stored(CUBE, affine), path)
        np.testing.assert_array_equal(vio.read(path).stored.affine, affine)


def test_the_smallest_type_holds_the_labels(affine, tmp_path):
    for top, dtype in ((1, np.uint8), (255, np.uint8), (256, np.uint16), (65535, np.uint16)):
        drawn = np.zeros((3, 4, 5), np.uint32)
        drawn[1, 1, 1] = top
        vio.write(LabelMap.from_stored(drawn, affine), tmp_path / "out.nii", force=True)
        assert nib.load(tmp_path / "out.nii").get_data_dtype() == dtype
        assert vio.read_labels(tmp_path / "out.nii").labels() == (top,)


def test_labels_saved_with_a_scale_factor_are_whole_again(tmp_path):
    # What nibabel makes of floating-point labels under a scan's int16 header.
    drawn = np.zeros((4, 4, 4))
    drawn[1:3, 1:3, 1:3] = [[[1, 30], [77, 117]], [[2, 3], [5, 9]]]
    image = nib.Nifti1Image(drawn, np.eye(4))
    image.set_data_dtype(np.int16)
    image.to_filename(tmp_path / "labels.nii.gz")
    assert image.header["scl_slope"] != 1 or nib.load(tmp_path / "labels.nii.gz").dataobj.slope != 1
    read = vio.read_labels(tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(read.to_stored(), drawn)


def test_trailing_axes_of_one_voxel_are_cut(voxels, nifti):
    read = vio.read(nifti(voxels[..., None, None]))
    np.testing.assert_array_equal(read.to_stored(), voxels)


def test_float64_becomes_float32(nifti):
    assert vio.read(nifti(np.full((3, 4, 5), 0.1))).voxels.dtype == np.float32


REFUSED = {
    "four axes": (np.zeros((3, 4, 5, 2), np.int16), "4 axes.*3 x 4 x 5 x 2"),
    "two axes": (np.zeros((3, 4), np.int16), "2 axes"),
    "one slice": (np.zeros((3, 4, 1), np.int16), "one-slice volume.*3 x 4 x 1"),
    "one column": (np.zeros((1, 4, 5), np.int16), "one-slice volume"),
    "NaN": (np.where(np.arange(60).reshape(3, 4, 5) == 7, np.nan, 0.0), "NaN.*1 of 60"),
    "infinite": (np.where(np.arange(60).reshape(3, 4, 5) < 2, np.inf, 0.0), "infinite.*2 of 60"),
    "beyond float32": (np.full((3, 4, 5), 1e300), "infinite.*60 of 60"),
    "complex": (np.zeros((3, 4, 5), np.complex64), "complex"),
    "colour": (np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")]), "colour"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_scan_is_refused(case, nifti):
    array, words = REFUSED[case]
    with pytest.raises(ImageError, match=words) as caught:
        vio.read(nifti(array))
    assert "\n" not in str(caught.value)
    assert "image.nii.gz" in str(caught.value)


NO_LABELS = {
    "fractional": (np.full((3, 4, 5), 0.5), "fractional; received: 0.5"),
    "negative": (np.full((3, 4, 5), -3, np.int16), "negative; received: -3"),
    "negative float": (np.full((3, 4, 5), -1.0), "negative; received: -1"),
    "too large": (np.full((3, 4, 5), 65536, np.int32), "too large; received: 65536"),
    "NaN": (np.full((3, 4, 5), np.nan), "NaN or infinite; received: nan"),
}


@pytest.mark.parametrize("case", NO_LABELS)
def test_what_is_no_label_map_is_refused(case, nifti):
    array, words = NO_LABELS[case]
    with pytest.raises(ImageError, match=words):
        vio.read_labels(nifti(array))


def test_missing_empty_unreadable_and_unknown_files_are_refused(tmp_path):
    (tmp_path / "empty.nii").touch()
    (tmp_path / "notes.txt").write_text("no image")
    for name, words in (
        ("absent.nii.gz", "does not exist"),
        ("empty.nii", "is empty"),
        ("notes.txt", "no known format.*\\.nii\\.gz"),
    ):
        for door in (vio.read, vio.read_labels):
            with pytest.raises(ImageError, match=words):
                door(tmp_path / name)


def test_a_label_map_of_one_slice_is_read(nifti):
    assert vio.read_labels(nifti(np.ones((3, 4, 1), np.uint8))).labels() == (1,)


def test_a_folder_that_is_not_writable_is_refused(labels, tmp_path, monkeypatch):
    tmp_path.chmod(0o500)
    if os.geteuid() == 0:  # root may write anywhere
        monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(OutputError, match="not writable"):
        vio.write(labels, tmp_path / "out.nii.gz")


def test_outputs_are_refused_before_anything_is_written(labels, tmp_path):
    taken = tmp_path / "taken.nii.gz"
    taken.write_bytes(b"old")
    for path, words in (
        (tmp_path / "nowhere" / "out.nii.gz", "not there.*nowhere"),
        (tmp_path / "out.png", "suffix.*\\.nrrd"),
        (tmp_path / "out.mhd", "suffix"),
        (taken, "exists.*--force"),
    ):
        with pytest.raises(OutputError, match=words):
            vio.check_output(path)
        with pytest.raises(OutputError, match=words):
            vio.write(labels, path)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.nii.gz"]
    assert taken.read_bytes() == b"old"
    vio.write(labels, taken, force=True)
    assert vio.read_labels(taken).labels() == (1, 2, 7)


def test_the_same_labels_give_the_same_bytes(labels, tmp_path):
    for name in ("first.nii.gz", "second.nii.gz"):
        vio.write(labels, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("first.nii.gz", "second.nii.gz"))
    assert first == second
    assert gzip.decompress(first)  # and it is gzip


def test_a_scan_of_the_real_world(real_ct):
    scan = vio.read(real_ct / "totalseg_mini/s0000/ct.nii.gz")
    assert scan.voxels.shape == (122, 101, 70)
    assert scan.voxels.dtype == np.int16
    assert (scan.voxels.min(), scan.voxels.max()) == (-1207, 3382)
    assert "axes RAS" in scan.stored.describe()
    hip = vio.read_labels(real_ct / "totalseg_mini/s0000/segmentations/hip_left.nii.gz")
    assert hip.stored.same_as(scan.stored)
    assert hip.labels() == (1,)


def test_every_refusal_is_an_input_error():
    assert issubclass(ImageError, InputError)
    assert issubclass(OutputError, InputError)
