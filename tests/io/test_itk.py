"""NRRD and MetaImage: what ITK's readers make of damaged files, and where LPS becomes RAS."""

import numpy as np
import pytest
import SimpleITK

import voxtrail.io as vio
from voxtrail.core.volume import Volume
from voxtrail.errors import ImageError
from voxtrail.io.fingerprint import fingerprint

ARRAY = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
SUFFIXES = (".nrrd", ".mha")


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_left_and_back_become_right_and_front(suffix, tmp_path):
    """ITK's own account of where a voxel lies, in LPS, is voxtrail's with two signs turned."""
    image = SimpleITK.GetImageFromArray(ARRAY)  # (k, j, i)
    image.SetSpacing([0.5, 0.75, 3.0])
    image.SetOrigin([10, -20, 30])
    image.SetDirection([0, 0, 1, -1, 0, 0, 0, -1, 0])
    SimpleITK.WriteImage(image, str(tmp_path / f"scan{suffix}"))
    read = vio.read(tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(read.to_stored(), ARRAY.transpose(2, 1, 0))
    lps = np.array(image.TransformIndexToPhysicalPoint((7, 5, 2)))
    np.testing.assert_array_equal((read.stored.affine @ [7, 5, 2, 1])[:3], lps * [-1, -1, 1])


def test_nrrd_nifti_and_metaimage_agree_with_each_other_through_itk(scan, tmp_path):
    """ITK reads all three that voxtrail wrote as the same image."""
    seen = []
    for suffix in (".nii.gz", *SUFFIXES):
        vio.write(scan, tmp_path / f"scan{suffix}")
        seen.append(SimpleITK.ReadImage(str(tmp_path / f"scan{suffix}")))
    for image in seen[1:]:
        np.testing.assert_array_equal(*map(SimpleITK.GetArrayFromImage, (image, seen[0])))
        for corner in ((0, 0, 0), (4, 5, 6)):
            np.testing.assert_allclose(
                image.TransformIndexToPhysicalPoint(corner),
                seen[0].TransformIndexToPhysicalPoint(corner),
                atol=1e-3,
            )


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("packed", [True, False])
def test_truncated_files_are_refused_in_one_line(suffix, packed, tmp_path, capfd):
    path = tmp_path / f"scan{suffix}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(ARRAY), str(path), useCompression=packed)
    whole = path.read_bytes()
    for length in (3, 60, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match="truncated"):
            vio.read(path)
    assert capfd.readouterr().err == ""  # ITK's readers write there themselves


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_headers_that_promise_terabytes_are_refused(suffix, tmp_path):
    path = tmp_path / f"scan{suffix}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(ARRAY), str(path), useCompression=False)
    path.write_bytes(path.read_bytes().replace(b"8 7 6", b"80000 70000 60000"))
    with pytest.raises(ImageError, match=r"truncated: its header promises|cannot be read"):
        vio.read(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_content_under_the_suffix_is_refused(suffix, tmp_path, capfd):
    path = tmp_path / f"scan{suffix}"
    SimpleITK.WriteImage(SimpleITK.Image([8, 8], SimpleITK.sitkUInt8), str(tmp_path / "flat.png"))
    for content in ((tmp_path / "flat.png").read_bytes(), bytes(500), b"NRRD0005\n" * 50):
        path.write_bytes(content)
        with pytest.raises(ImageError, match="cannot be read"):
            vio.read(path)
    assert capfd.readouterr().err == ""


def write(path, array, *, vector=False):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array, isVector=vector), str(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_scan_is_refused(suffix, tmp_path):
    path = tmp_path / f"scan{suffix}"
    write(path, np.zeros((6, 7, 8, 3), np.uint8), vector=True)
    with pytest.raises(ImageError, match="3 numbers per voxel"):
        vio.read(path)
    write(path, np.zeros((2, 6, 7, 8), np.int16))
    with pytest.raises(ImageError, match=r"4 axes.*8 x 7 x 6 x 2"):
        vio.read(path)
    write(path, np.zeros((7, 8), np.int16))
    with pytest.raises(ImageError, match="2 axes"):
        vio.read(path)
    write(path, np.full((6, 7, 8), np.nan, np.float32))
    with pytest.raises(ImageError, match="NaN"):
        vio.read(path)
    write(path, np.zeros((1, 7, 8), np.int16))
    with pytest.raises(ImageError, match="one-slice volume"):
        vio.read(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_fourth_axis_of_one_voxel_is_cut(suffix, tmp_path):
    path = tmp_path / f"scan{suffix}"
    write(path, ARRAY[None])
    np.testing.assert_array_equal(vio.read(path).to_stored(), ARRAY.transpose(2, 1, 0))


def test_straight_scans_survive_itk_to_the_last_bit(tmp_path, order, reordered):
    """Where the axes are the body's, splitting the affine and joining it again does not round."""
    stored, moved = reordered(ARRAY, np.diag([0.7, 0.1, 3.3, 1.0]), order)
    vio.write(Volume.from_stored(stored, moved), tmp_path / "scan.nrrd")
    read = vio.read(tmp_path / "scan.nrrd")
    np.testing.assert_array_equal(read.stored.affine, moved)
    np.testing.assert_array_equal(read.to_stored(), stored)


DAMAGE = {
    "axes": (b"NDims = 3", b"NDims = 39999", "NDims = 39999"),
    "no axes": (b"NDims = 3", b"NDims = ", "NDims = nothing"),
    "sizes": (b"DimSize = 8 7 6", b"DimSize = 8 7 6 5", "4 values of DimSize for 3 axes"),
    "a line": (b"NDims = 3", b"NDims \x00 3", "the line"),
    "twice": (b"BinaryData = True", b"NDims = 3", "the line"),
    "no data": (b"ElementDataFile", b"ElementDataFill", "ElementDataFile|the line"),
    "far away": (b"Offset = 0 0 0", b"Offset = 0 0 1e300", "beyond any scanner"),
    "no size": (b"ElementSpacing = 1 1 1", b"ElementSpacing = 0 1 1", "singular|cannot be read"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_metaimage_headers_do_not_reach_itk(case, tmp_path):
    """Found by mutation: ITK's reader ends the process on a wrong number of axes."""
    old, new, words = DAMAGE[case]
    path = tmp_path / "scan.mha"
    write(path, ARRAY)
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(ImageError, match=words):
        vio.read(path)


def test_notes_in_a_metaimage_header_do_no_harm(tmp_path):
    path = tmp_path / "scan.mha"
    write(path, ARRAY)
    notes = b"NDims = 3\n0008|0060 = CT\nMade_By = some tool\n"
    path.write_bytes(path.read_bytes().replace(b"NDims = 3\n", notes))
    np.testing.assert_array_equal(vio.read(path).to_stored(), ARRAY.transpose(2, 1, 0))


HEADER = (
    "ObjectType = Image\nNDims = 3\n{}DimSize = 4 5 3\nElementSpacing = 1.5 1.5 3\n"
    "ElementType = MET_SHORT\nElementDataFile = {}\n"
)


@pytest.mark.parametrize(
    ("blank", "named"), [("\n", "ct.raw"), ("", "./ct.raw"), ("", "my ct.raw"), ("", "LIST")]
)
def test_metaimage_headers_as_programs_write_them(blank, named, tmp_path):
    voxels = np.arange(60, dtype=np.int16).reshape(4, 5, 3)
    for name in ("ct.raw", "my ct.raw"):
        (tmp_path / name).write_bytes(voxels.tobytes(order="F"))
    names = [f"s{number}.raw" for number in range(3)]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(voxels[:, :, number].tobytes(order="F"))
    text = HEADER.format(blank, named) + ("\n".join(names) + "\n" if named == "LIST" else "")
    (tmp_path / "ct.mhd").write_text(text)
    np.testing.assert_array_equal(vio.read(tmp_path / "ct.mhd").to_stored(), voxels)
    # What was changed in any of its files is another scan.
    before = fingerprint(tmp_path / "ct.mhd")
    changed = tmp_path / (names[1] if named == "LIST" else named)
    changed.write_bytes(changed.read_bytes()[::-1])
    assert fingerprint(tmp_path / "ct.mhd") != before


@pytest.mark.parametrize(
    "names", [["../s0.raw"] * 3, ["/etc/passwd"] * 3, ["s0.raw"] * 2, ["none.raw"] * 3]
)
def test_a_list_of_files_stays_in_its_folder(names, tmp_path):
    (tmp_path / "s0.raw").write_bytes(bytes(40))
    (tmp_path / "ct.mhd").write_text(HEADER.format("", "LIST") + "\n".join(names))
    with pytest.raises(ImageError, match=r"beside it|a list of 2 files for 3 slices"):
        vio.read(tmp_path / "ct.mhd")


def test_lengths_in_another_unit_of_nrrd_are_said(scan, tmp_path):
    vio.write(scan, tmp_path / "ct.nrrd")
    header, empty, rest = (tmp_path / "ct.nrrd").read_bytes().partition(b"\n\n")
    for unit, said in (("mm", False), ("um", True)):
        line = f'\nspace units: "{unit}" "{unit}" "{unit}"'.encode()
        (tmp_path / "unit.nrrd").write_bytes(header + line + empty + rest)
        notes = vio.read(tmp_path / "unit.nrrd").provenance.notes
        assert any("lengths in um" in note for note in notes) == said
