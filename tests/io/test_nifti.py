"""NIfTI headers that are truncated, damaged, or promise what is not there."""

import gzip
import os

import nibabel as nib
import numpy as np
import pytest

import voxtrail.io as vio
from voxtrail.core.volume import LabelMap
from voxtrail.errors import ImageError, OutputError

ARRAY = np.arange(24 * 24 * 24, dtype=np.int16).reshape(24, 24, 24)


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz"])
def test_a_truncated_file_is_refused(name, nifti):
    path = nifti(ARRAY, name=name)
    whole = path.read_bytes()
    for length in (4, 300, 348, 352, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match=r"truncated|not a NIfTI"):
            vio.read(path)


def test_a_flipped_byte_in_a_gzip_is_noticed(nifti):
    path = nifti(np.random.default_rng(0).integers(0, 9, (24, 24, 24)).astype(np.int16))
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in the checksum: the voxels themselves unpack without complaint
    path.write_bytes(content)
    with pytest.raises(ImageError, match="CRC"):
        vio.read(path)


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz"])
def test_other_content_under_the_suffix_is_refused(name, tmp_path):
    path = tmp_path / name
    for content in (b"\x89PNG\r\n\x1a\n" + bytes(1000), bytes(1000), os.urandom(1000), b"text"):
        path.write_bytes(content)
        with pytest.raises(ImageError, match=r"image\.nii"):
            vio.read(path)


def test_a_header_that_promises_terabytes_is_refused_at_once(nifti):
    dim = [3, 30000, 30000, 30000, 1, 1, 1, 1]
    with pytest.raises(ImageError, match="truncated: its header promises"):
        vio.read(nifti(ARRAY, name="a.nii", dim=dim))
    with pytest.raises(ImageError, match="truncated: its header promises"):
        vio.read(nifti(ARRAY, dim=dim))


def test_more_than_the_limit_is_refused(nifti):
    path = nifti(np.zeros((64, 64, 64), np.int16))
    with pytest.raises(ImageError, match=r"too large; .*64 x 64 x 64.*at most 0\.0009766 GiB"):
        vio.read(path, max_bytes=2**20 - 1)
    assert vio.read(path, max_bytes=2**20).voxels.shape == (64, 64, 64)


def test_only_what_the_header_promises_is_unpacked_of_a_bomb(tmp_path, nifti):
    content = gzip.decompress(nifti(ARRAY).read_bytes())
    bomb = tmp_path / "bomb.nii.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(content + bytes(32 * 2**20))
    with pytest.raises(ImageError, match="holds more than its header says"):
        vio.read(bomb)


FIELDS = {
    "negative side": ({"dim": [3, 24, -24, 24, 1, 1, 1, 1]}, "24 x -24 x 24|cannot be read"),
    "no side": ({"dim": [3, 24, 0, 24, 1, 1, 1, 1]}, "not one 3-D image"),
    "nine axes": ({"dim": [9, 24, 24, 24, 1, 1, 1, 1]}, "cannot be read|not a NIfTI"),
    "unknown data type": ({"datatype": 12345}, "cannot be read"),
    "voxels far into the file": ({"vox_offset": 2e9}, "voxels that start at byte 2000000000"),
    "voxels nowhere": ({"vox_offset": np.nan}, "cannot be read"),
    "slope without intercept": ({"scl_slope": 2.0, "scl_inter": np.nan}, "cannot be read"),
    "slope of infinity": ({"scl_slope": 3e38, "scl_inter": 0.0}, "infinite voxels"),
    "affine of zeros": (
        {"sform_code": 1, "srow_x": [0] * 4, "srow_y": [0] * 4, "srow_z": [0] * 4},
        "image.nii: the affine is singular",
    ),
    "affine of NaN": ({"sform_code": 1, "srow_x": [np.nan] * 4}, "image.nii: .*not a finite"),
    "two axes along one": (
        {"sform_code": 1, "srow_x": [1, 0, 0, 0], "srow_y": [1, 0, 0, 0]},
        "singular",
    ),
}


@pytest.mark.parametrize("case", FIELDS)
def test_a_broken_header_is_refused(case, nifti, capfd):
    fields, words = FIELDS[case]
    path = nifti(ARRAY, name="image.nii", **fields)
    with pytest.raises(ImageError, match=words):
        vio.read(path)
    assert capfd.readouterr().err == ""  # nibabel logs what it mends


def test_the_sform_goes_before_the_qform(nifti, affine):
    image = nib.Nifti1Image(ARRAY, affine)
    image.set_qform(np.diag([9.0, 9, 9, 1]), 1)
    image.set_sform(affine, 1)
    path = nifti(ARRAY)
    image.to_filename(path)
    np.testing.assert_array_equal(vio.read(path).stored.affine, affine)
    image.set_sform(None, 0)
    image.to_filename(path)
    np.testing.assert_array_equal(vio.read(path).stored.affine, np.diag([9.0, 9, 9, 1]))
    image.set_qform(None, 0)
    image.to_filename(path)
    # nibabel's fallback: voxel sizes, the volume's centre at the origin.
    np.testing.assert_allclose(vio.read(path).stored.spacing_mm, 9)


def test_version_2_big_endian_and_scaled_files(tmp_path, affine):
    precise = affine + np.diag([1e-12, 0, 0, 0])  # does not fit NIfTI-1's float32
    nib.Nifti2Image(ARRAY, precise).to_filename(tmp_path / "two.nii.gz")
    np.testing.assert_array_equal(vio.read(tmp_path / "two.nii.gz").stored.affine, precise)
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    big = nib.Nifti1Image(ARRAY, affine, header)
    big.to_filename(tmp_path / "big.nii")
    read = vio.read(tmp_path / "big.nii")
    np.testing.assert_array_equal(read.to_stored(), ARRAY)
    assert read.voxels.dtype == np.int16
    assert read.voxels.dtype.isnative


def test_slope_and_intercept_are_applied(nifti):
    read = vio.read(nifti(ARRAY, name="scaled.nii", scl_slope=0.5, scl_inter=-1024.0))
    assert read.voxels.dtype == np.float32
    np.testing.assert_array_equal(read.to_stored(), ARRAY * 0.5 - 1024)


def test_qform_says_the_same_as_sform_or_nothing(tmp_path, affine):
    drawn = np.ones((3, 4, 5), np.uint8)
    vio.write(LabelMap.from_stored(drawn, affine), tmp_path / "straight.nii")
    header = nib.load(tmp_path / "straight.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
    np.testing.assert_allclose(header.get_qform(), affine, atol=1e-4)
    sheared = affine @ np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    vio.write(LabelMap.from_stored(drawn, sheared), tmp_path / "sheared.nii")
    header = nib.load(tmp_path / "sheared.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 1)
    np.testing.assert_array_equal(header.get_sform(), sheared.astype(np.float32))


def test_a_side_that_nifti_cannot_count_is_refused(tmp_path):
    long = LabelMap.from_stored(np.ones((40000, 2, 2), np.uint8), np.eye(4))
    with pytest.raises(OutputError, match="32767"):
        vio.write(long, tmp_path / "long.nii.gz")
    vio.write(long, tmp_path / "long.nrrd")
    assert [path.name for path in tmp_path.iterdir()] == ["long.nrrd"]
