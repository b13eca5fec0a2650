"""Files whose numbers have the high byte first: the same Hounsfield units in the same place."""

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from pydicom.uid import ExplicitVRBigEndian

import voxtrail.io as vio
from tests.io import series

KINDS = ("i2", "u2", "i4", "f4", "f8")


def values(kind, voxels) -> np.ndarray:
    array = voxels.astype(kind) if kind != "u2" else (voxels.astype(int) + 1024).astype("u2")
    return array + array.dtype.type(0.25) if array.dtype.kind == "f" else array


def check(read, array, affine):
    np.testing.assert_array_equal(read.to_stored(), array)
    np.testing.assert_allclose(read.stored.affine, affine, atol=1e-5)
    assert read.voxels.dtype.isnative


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti(suffix, version, kind, voxels, affine, tmp_path):
    array = values(kind, voxels)
    header = (nib.Nifti1Header if version == 1 else nib.Nifti2Header)(endianness=">")
    header.set_data_dtype(array.dtype)
    image = (nib.Nifti1Image if version == 1 else nib.Nifti2Image)(array, affine, header)
    path = tmp_path / f"ct{suffix}"
    image.to_filename(path)
    with (gzip.open if suffix.endswith("gz") else open)(path, "rb") as file:
        start = file.read(4)
    assert start == (348 if version == 1 else 540).to_bytes(4, "big")
    check(vio.read(path), array, affine)


def test_nifti_with_a_scale(voxels, affine, tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    header.set_data_shape(voxels.shape)
    header.set_sform(affine, 1)
    header["vox_offset"], header["scl_slope"], header["scl_inter"] = 352, 0.5, -10
    content = voxels.astype(">i2").tobytes(order="F")
    (tmp_path / "ct.nii").write_bytes(header.binaryblock + bytes(4) + content)
    check(vio.read(tmp_path / "ct.nii"), voxels * 0.5 - 10, affine)


ITK_KINDS = {"i2": "short", "u2": "ushort", "i4": "int", "f4": "float", "f8": "double"}


def columns(affine) -> list[list[float]]:
    """The affine's columns in LPS."""
    return ((np.diag([-1, -1, 1]) @ affine[:3]).T).tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_nrrd(encoding, kind, voxels, affine, tmp_path):
    array = values(kind, voxels)
    *steps, corner = ("(" + ",".join(map(repr, column)) + ")" for column in columns(affine))
    header = (
        f"NRRD0004\ntype: {ITK_KINDS[kind]}\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: 5 6 7\nspace directions: {' '.join(steps)}\nkinds: domain domain domain\n"
        f"endian: big\nencoding: {encoding}\nspace origin: {corner}\n\n"
    )
    content = array.astype(f">{kind}").tobytes(order="F")
    content = gzip.compress(content) if encoding == "gzip" else content
    (tmp_path / "ct.nrrd").write_bytes(header.encode() + content)
    check(vio.read(tmp_path / "ct.nrrd"), array, affine)


MET_KINDS = {
    "i2": "MET_SHORT",
    "u2": "MET_USHORT",
    "i4": "MET_INT",
    "f4": "MET_FLOAT",
    "f8": "MET_DOUBLE",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["BinaryDataByteOrderMSB", "ElementByteOrderMSB"])
def test_metaimage(key, kind, voxels, affine, tmp_path):
    array = values(kind, voxels)
    *steps, corner = np.array(columns(affine))
    spacing = np.linalg.norm(steps, axis=1)

    def spelled(numbers):
        return " ".join(map(repr, np.ravel(numbers).tolist()))

    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\n{key} = True\n"
        f"CompressedData = False\nTransformMatrix = {spelled(steps / spacing[:, None])}\n"
        f"Offset = {spelled(corner)}\nElementSpacing = {spelled(spacing)}\nDimSize = 5 6 7\n"
        f"ElementType = {MET_KINDS[kind]}\nElementDataFile = LOCAL\n"
    )
    path = tmp_path / "ct.mha"
    path.write_bytes(header.encode() + array.astype(f">{kind}").tobytes(order="F"))
    check(vio.read(path), array, affine)
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)).transpose(2, 1, 0)
    np.testing.assert_array_equal(theirs, array)


@pytest.mark.filterwarnings("ignore:.*Big Endian.*")
@pytest.mark.parametrize("form", ["classic", "enhanced", "unsigned"])
def test_dicom(form, tmp_path):
    images = [series.enhanced()] if form == "enhanced" else series.classic()
    for one in images:
        stored = np.frombuffer(one.PixelData, "<i2")
        if form == "unsigned":
            stored, one.PixelRepresentation = (stored.astype(int) + 1024).astype("<u2"), 0
            one.RescaleIntercept = -1024
        one.PixelData = stored.byteswap().tobytes()
        one.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    folder = series.save(images, tmp_path / "ct")
    assert b"\x00\x08\x00\x16UI" in next(folder.iterdir()).read_bytes()
    read = vio.read(folder)
    np.testing.assert_array_equal(read.to_stored(), series.HU.transpose(2, 1, 0))
    for index in ((0, 0, 0), (11, 9, 5), (3, 2, 1)):
        ras = series.place_lps(*index) * [-1, -1, 1]
        np.testing.assert_allclose((read.stored.affine @ [*index, 1])[:3], ras, atol=1e-5)


def test_labels(affine, tmp_path):
    labels = np.zeros((5, 6, 7), np.uint16)
    labels[1, 2, 3], labels[4, 5, 6] = 258, 1
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.uint16)
    nib.Nifti1Image(labels, affine, header).to_filename(tmp_path / "labels.nii.gz")
    read = vio.read_labels(tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(read.to_stored(), labels)
