"""What is written lies where the scan lies, for nibabel and for ITK, whatever the scan's header."""

import gzip
from itertools import product

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

import voxtrail.io as vio
from voxtrail.core.box import Box
from voxtrail.core.volume import LabelMap
from voxtrail.io.mesh.surface import surface_of
from voxtrail.io.nifti.shares import write_shares

SHAPE = (8, 7, 6)
SIZES = (1.5, 1.25, 3.0)
TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1.0]])
SFORM = np.eye(4)
SFORM[:3, :3] = np.diag([-1, -1, 1]) @ TURN @ np.diag(SIZES)
SFORM[:3, 3] = (40, 30, -100)
QFORM = SFORM.copy()
QFORM[:3, 3] += (12, -7, 25)
SHEARED = SFORM.copy()
SHEARED[0, 2] += 0.02
ZEROS = np.zeros((4, 4))
UNITS = {"mm": 1.0, "unknown": 1.0, "micron": 1e-3, "meter": 1e3}
CODES = [
    *[(one, other, "apart") for one, other in product(range(5), repeat=2)],
    (1, 1, "same"), (1, 1, "sheared"), (2, 4, "sheared"), (2, 1, "zeros"), (1, 2, "zeros"),
]  # fmt: skip


def header_of(sform_code, qform_code, kind, unit="mm"):
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_xyzt_units(unit)
    header.set_qform(SFORM if kind == "sheared" else QFORM, qform_code)
    header.set_sform(
        {"same": QFORM, "sheared": SHEARED, "zeros": ZEROS}.get(kind, SFORM), sform_code
    )
    header["qform_code"], header["sform_code"] = qform_code, sform_code
    header["pixdim"][1:4] = SIZES
    scale = 1 / UNITS[unit]
    for field in ("srow_x", "srow_y", "srow_z", "qoffset_x", "qoffset_y", "qoffset_z"):
        header[field] = header[field] * scale
    header["pixdim"][1:4] = np.array(SIZES) * scale
    return header


def save(voxels, header, path):
    header = header.copy()
    header.set_data_dtype(voxels.dtype)
    image = nib.Nifti1Image(voxels, None, header)
    for name in ("qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "pixdim"):
        image.header[name] = header[name]
    nib.save(image, path)
    return path


def itk_place(path):
    image = SimpleITK.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ affine


@pytest.fixture
def case(tmp_path):
    voxels = np.random.default_rng(0).integers(-900, 900, SHAPE).astype(np.int16)
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[2:5, 1:4, 3], drawn[4, 4:6, 1] = 1, 2

    def build(*header):
        path = save(voxels, header_of(*header), tmp_path / "ct.nii.gz")
        return path, vio.read(path), drawn

    return build


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("codes", CODES, ids=str)
def test_both_readers_put_scan_and_labels_on_one_place(codes, unit, case, tmp_path):
    path, scan, drawn = case(*codes, unit)
    labels = LabelMap(scan.stored.orientation().to_canonical(drawn), scan.stored)
    vio.write(labels, tmp_path / "out.nii.gz")
    vio.write(scan, tmp_path / "again.nii")
    whole = Box.whole(scan.grid.shape)
    maps = {label: (whole, labels.mask(label).astype(np.float32)) for label in (1, 2)}
    write_shares(maps, scan.stored, tmp_path / "p.nii.gz", "probabilities")
    for written in (tmp_path / "out.nii.gz", tmp_path / "again.nii", tmp_path / "p.nii.gz"):
        theirs, ours = nib.load(path).header, nib.load(written).header
        for field in ("qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "quatern_b",
                      "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"):  # fmt: skip
            assert np.array_equal(theirs[field], ours[field]), field
        assert np.array_equal(theirs["pixdim"][:4], ours["pixdim"][:4])
        assert theirs.get_xyzt_units()[0] == ours.get_xyzt_units()[0]
        np.testing.assert_array_equal(nib.load(path).affine, nib.load(written).affine)
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "out.nii.gz").dataobj), drawn)
    try:
        place = itk_place(path)
    except RuntimeError:  # ITK reads no sheared sform without a qform; neither scan nor labels
        return
    np.testing.assert_array_equal(place, itk_place(tmp_path / "out.nii.gz"))
    # Formats that ITK's programs alone read lie where those programs see the scan, surfaces too.
    pytest.importorskip("trimesh", reason="trimesh is not installed (voxtrail[mesh])")
    label = labels.labels()[0]
    inside = np.argwhere(labels.stored.orientation().to_stored(labels.mask(label)))
    middle = place[:3, :3] @ inside.mean(axis=0) + place[:3, 3]
    around = surface_of(labels, label).vertices
    assert np.abs(around.mean(axis=0) - middle).max() < 2
    vio.write(labels, tmp_path / "out.seg.nrrd")
    vio.write(labels, tmp_path / "out.mha")
    for name in ("out.seg.nrrd", "out.mha"):
        np.testing.assert_allclose(itk_place(tmp_path / name), place, rtol=1e-5, atol=5e-4)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("codes", CODES, ids=str)
def test_labels_drawn_in_either_reader_are_accepted(codes, unit, case, tmp_path):
    path, scan, drawn = case(*codes, unit)
    in_nibabel = save(drawn, header_of(*codes, unit), tmp_path / "nibabel.nii.gz")
    own = nib.load(path).affine if codes[2] != "zeros" else None
    files = [in_nibabel]
    if own is not None:
        image = nib.Nifti1Image(drawn, own)
        image.header.set_xyzt_units(unit)
        nib.save(image, tmp_path / "plain.nii.gz")
        files.append(tmp_path / "plain.nii.gz")
    try:
        image = SimpleITK.GetImageFromArray(drawn.transpose(2, 1, 0))
        image.CopyInformation(SimpleITK.ReadImage(str(path)))
        for name in ("itk.nii.gz", "itk.nrrd", "itk.mha", "itk.seg.nrrd"):
            SimpleITK.WriteImage(image, str(tmp_path / name))
            files.append(tmp_path / name)
    except RuntimeError:
        pass
    for file in files:
        read = vio.read_labels(file, like=scan)
        np.testing.assert_array_equal(read.to_stored(), drawn, err_msg=str(file))
        assert read.stored is scan.stored


@pytest.mark.parametrize(
    ("codes", "taken"),
    [((2, 1, "apart"), "sform (code 2)"), ((0, 3, "apart"), None), ((0, 0, "apart"), "voxel sizes"),
     ((2, 1, "zeros"), None), ((1, 1, "same"), None), ((1, 0, "apart"), None)],
)  # fmt: skip
def test_the_record_says_where_a_header_gives_two_places(codes, taken, case):
    _, scan, _ = case(*codes)
    said = " ".join(scan.provenance.notes)
    assert ("gives two places" in said) == (taken is not None), said
    assert taken is None or (f"taken is the {taken}" in said and "mm apart" in said)


def test_lengths_are_millimetres_inside(case):
    plain = case(1, 1, "same")[1].stored
    for unit in UNITS:
        scan = case(1, 1, "same", unit)[1]
        assert scan.stored.same_as(plain)
        assert scan.stored.spacing_mm == pytest.approx(SIZES)
        assert any("lengths" in note for note in scan.provenance.notes) == (UNITS[unit] != 1)


def test_a_derived_grid_has_no_words_of_another_place(case):
    _, scan, _ = case(2, 1, "apart")
    assert scan.stored.header is not None
    assert scan.grid.header is None


LABELS = (
    '<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation><LabelTable>'
    '<Label Key="0"><![CDATA[???]]></Label><Label Key="1"><![CDATA[hip_left]]></Label>'
    '<Label Key="2">größer</Label><Label Key="x">none</Label></LabelTable></VolumeInformation>'
    "</CaretExtension>"
)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
def test_names_in_an_extension_are_the_labels(kind, order, tmp_path):
    header = kind.header_class(endianness=order)
    image = kind(np.ones(SHAPE, np.uint8), SFORM, header)
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"a comment"))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, LABELS.encode()))
    image.to_filename(tmp_path / "named.nii.gz")
    assert vio.read_labels(tmp_path / "named.nii.gz").names == {1: "hip_left", 2: "größer"}
    chosen = vio.read_labels(tmp_path / "named.nii.gz", structures=["hip_left"])
    assert chosen.labels() == (1,)


@pytest.mark.parametrize(
    "text",
    [b"<LabelTable>",
     b'<!DOCTYPE a [<!ENTITY b "c">]><LabelTable><Label Key="1">&b;</Label></LabelTable>',
     b"\xff\xfe<LabelTable/>", b"", b'<LabelTable><Label Key="70000">a</Label></LabelTable>'],
)  # fmt: skip
def test_an_extension_that_is_no_table_gives_no_names(text, tmp_path):
    image = nib.Nifti1Image(np.ones(SHAPE, np.uint8), SFORM)
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, text))
    nib.save(image, tmp_path / "odd.nii.gz")
    assert vio.read_labels(tmp_path / "odd.nii.gz").names == {}


def test_an_extension_of_a_broken_length_is_none(tmp_path):
    image = nib.Nifti1Image(np.ones(SHAPE, np.uint8), SFORM)
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, LABELS.encode()))
    nib.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    for size in (0, -8, 2**31 - 1):
        content[352:356] = int(size).to_bytes(4, "little", signed=True)
        with gzip.open(tmp_path / "b.nii.gz", "wb") as file:
            file.write(content)
        assert vio.read_labels(tmp_path / "b.nii.gz").names in ({}, {1: "hip_left", 2: "größer"})
