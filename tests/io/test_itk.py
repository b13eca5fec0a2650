"""NRRD and MetaImage: what ITK's readers make of damaged files, and where LPS becomes RAS."""

import gc

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


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_voxels_are_held_once_and_outlive_the_image_that_itk_read(suffix, tmp_path):
    vio.write(Volume.from_stored(ARRAY, np.eye(4)), tmp_path / f"scan{suffix}")
    read = [vio.read(tmp_path / f"scan{suffix}") for _ in range(50)]
    gc.collect()
    _ = [np.full(ARRAY.shape, 9, np.int16) for _ in range(100)]  # takes up what was given free
    for one in read:
        np.testing.assert_array_equal(one.voxels, ARRAY)
        assert one.voxels.flags.writeable
        assert not one.voxels.flags.owndata


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


PACKED = {".mha": "scan.mha", ".mhd": "scan.zraw", ".nrrd": "scan.nrrd", ".nhdr": "scan.raw.gz",
          ".seg.nrrd": "scan.seg.nrrd"}  # fmt: skip


@pytest.mark.parametrize("suffix", PACKED)
def test_a_damaged_byte_in_compressed_voxels_is_found(suffix, tmp_path):
    """ITK passes over checksums, and often reads other voxels without a word."""
    voxels = np.random.default_rng(0).integers(0, 900, (12, 20, 20)).astype(np.uint16)
    image = SimpleITK.GetImageFromArray(voxels)
    SimpleITK.WriteImage(image, str(tmp_path / f"scan{suffix}"), useCompression=True)
    data = tmp_path / PACKED[suffix]
    whole = data.read_bytes()
    read = vio.read_labels if suffix == ".seg.nrrd" else vio.read
    np.testing.assert_array_equal(
        read(tmp_path / f"scan{suffix}").to_stored(), voxels.transpose(2, 1, 0)
    )
    for place in range(len(whole) // 3, len(whole) - 20, len(whole) // 9):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        data.write_bytes(damaged)
        with pytest.raises(ImageError, match="truncated, damaged"):
            read(tmp_path / f"scan{suffix}")


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

NRRD_HEADER = (
    "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 5 3\nspacings: 1.5 1.5 3\nendian: little\n"
    "encoding: raw\ndata file: "
)


VOXELS = np.arange(60, dtype=np.int16).reshape(4, 5, 3)


@pytest.fixture
def parts(tmp_path):
    """Voxels without a header: whole and slice by slice, here and in a folder."""
    (tmp_path / "sub").mkdir()
    for name in ("ct.raw", "my ct.raw", "sub/ct.raw", "Schädel.raw"):
        (tmp_path / name).write_bytes(VOXELS.tobytes(order="F"))
    for number in range(3):
        for name in (f"s{number}.raw", f"my s{number}.raw", f"sub/t{5 + 2 * number:03d}.raw"):
            (tmp_path / name).write_bytes(VOXELS[:, :, number].tobytes(order="F"))
    return tmp_path


def listed(name):
    return "LIST{}\n" + "".join(f"{name.format(number)}\n" for number in range(3))


#: What a MetaImage header names, and a file of it whose change makes another scan.
NAMED = {
    "ct.raw": "ct.raw",
    "./ct.raw": "ct.raw",
    "my ct.raw": "my ct.raw",
    "sub/ct.raw": "sub/ct.raw",
    "Schädel.raw": "Schädel.raw",
    listed("s{}.raw").format(""): "s1.raw",
    listed("./my s{}.raw").format(" 2D"): "my s1.raw",
    "s%d.raw 0 2 1": "s1.raw",
    "s%1i.raw 0": "s1.raw",
    "./my s%d.raw 0 2 1": "my s1.raw",
    "sub/t%03d.raw 5 9 2": "sub/t007.raw",
}


@pytest.mark.parametrize("named", NAMED)
def test_a_metaimage_header_names_its_files_as_for_itk(named, parts):
    header = parts / "ct.mhd"
    header.write_text(HEADER.format("\n", named))
    np.testing.assert_array_equal(vio.read(header).to_stored(), VOXELS)
    itks = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(header)))
    np.testing.assert_array_equal(itks.transpose(2, 1, 0), VOXELS)
    _another_scan_once_changed(header, parts / NAMED[named])


#: The same of NRRD, whose patterns know no spaces.
NRRD_NAMED = {
    "ct.raw": "ct.raw",
    "./my ct.raw": "my ct.raw",
    "sub/ct.raw": "sub/ct.raw",
    "Schädel.raw": "Schädel.raw",
    listed("my s{}.raw").format(""): "my s1.raw",
    listed("s{}.raw").format(" 2"): "s1.raw",
    "s%d.raw 0 2 1": "s1.raw",
    "sub/t%03d.raw 5 9 2 2": "sub/t007.raw",
}


@pytest.mark.parametrize("named", NRRD_NAMED)
def test_an_nrrd_header_names_its_files_as_for_itk(named, parts):
    header = parts / "ct.nhdr"
    header.write_text(NRRD_HEADER + named.rstrip("\n") + "\n")
    np.testing.assert_array_equal(vio.read(header).to_stored(), VOXELS)
    itks = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(header)))
    np.testing.assert_array_equal(itks.transpose(2, 1, 0), VOXELS)
    _another_scan_once_changed(header, parts / NRRD_NAMED[named])


def _another_scan_once_changed(header, file):
    before = fingerprint(header)
    file.write_bytes(file.read_bytes()[::-1])
    assert fingerprint(header) != before


def test_nrrd_files_that_are_counted_down(parts):
    (parts / "ct.nhdr").write_text(NRRD_HEADER + "s%d.raw 2 0 -1\n")
    np.testing.assert_array_equal(vio.read(parts / "ct.nhdr").to_stored(), VOXELS[:, :, ::-1])


@pytest.mark.parametrize(
    "named",
    [
        "s%d.raw 0 1 1",  # ITK leaves the third slice as memory happens to be
        "s%d.raw 0 2 0",
        "s%d.raw 0 2",
        "s%d%s.raw 0 2 1",
        "s%n.raw 0 2 1",
        "s%9999d.raw 0 2 1",
        "../s%d.raw 0 2 1",
        "sub/../../s%d.raw 0 2 1",
        "s%d.raw 0 999999 1",
        "LIST 3\nct.raw",  # ITK reads a third of it
        "LIST 1D\ns0.raw",
        "out/s0.raw",
    ],
)
def test_patterns_stay_in_their_folder_and_stand_for_every_slice(named, parts):
    folder = parts / "sub"
    for number in range(3):
        (folder / f"s{number}.raw").write_bytes(bytes(40))
    (folder / "out").symlink_to(parts)
    for name, header in (("ct.mhd", HEADER.format("", "{}")), ("ct.nhdr", NRRD_HEADER + "{}\n")):
        if name == "ct.nhdr" and named.startswith("LIST"):
            continue  # there a file may hold all of it, or rows
        (folder / name).write_text(header.format(named))
        with pytest.raises(ImageError, match=r"beside it|files for 3 slices|LIST|cannot be read"):
            vio.read(folder / name)


def test_the_encoding_that_itk_does_not_read_is_named(parts):
    header = NRRD_HEADER.replace("encoding: raw", "encoding: bzip2")
    (parts / "ct.nhdr").write_text(header + "ct.raw\n")
    with pytest.raises(ImageError, match=r"not read; received: encoding bzip2.*with gzip"):
        vio.read(parts / "ct.nhdr")


@pytest.mark.parametrize(
    "names", [["../s0.raw"] * 3, ["/etc/passwd"] * 3, ["s0.raw"] * 2, ["none.raw"] * 3]
)
def test_a_list_of_files_stays_in_its_folder(names, tmp_path):
    (tmp_path / "s0.raw").write_bytes(bytes(40))
    (tmp_path / "ct.mhd").write_text(HEADER.format("", "LIST") + "\n".join(names))
    with pytest.raises(ImageError, match=r"beside it|2 files for 3 slices"):
        vio.read(tmp_path / "ct.mhd")
