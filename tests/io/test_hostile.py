"""Files made to do harm: refused by an estimate before memory is taken, in one line.

Most were found by `tests.fuzz`; each stands for a defect that was mended.
"""

import gzip
import os
import struct
import zipfile

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

import voxtrail.io as vio
from tests.io import series
from voxtrail.core.volume import LabelMap
from voxtrail.errors import ImageError
from voxtrail.io import free_memory
from voxtrail.io.dicom.pixels import _size_of


def refused(path, words):
    with pytest.raises(ImageError, match=words) as caught:
        vio.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_header_that_promises_terabytes(nifti):
    path = nifti(np.zeros((3, 4, 5), np.int16), dim=[3, 20000, 20000, 20000, 1, 1, 1, 1])
    refused(path, "truncated.*20000 x 20000 x 20000 voxels")


def test_a_gzip_bomb_behind_an_honest_header(tmp_path):
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), np.eye(4)).to_bytes()
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(image)
        for _ in range(24):
            file.write(bytes(2**20))
    refused(path, "more than its header says")


def test_what_does_not_fit_into_free_memory_is_refused_before_it_is_read(nifti, monkeypatch):
    path = nifti(np.zeros((30, 40, 50), np.int16))
    vio.read(path)
    monkeypatch.setattr("voxtrail.io.refusals.available_bytes", lambda: 400_000)
    refused(path, "does not fit into memory.*30 x 40 x 50 voxels.*half of the")


def test_free_memory_is_what_every_limit_leaves(monkeypatch):
    assert free_memory.available_bytes() > 2**20
    monkeypatch.setattr(free_memory, "_of_container", lambda: 7)
    assert free_memory.available_bytes() == 7
    monkeypatch.setattr(free_memory, "_of_process", lambda: -7)
    assert free_memory.available_bytes() == 0
    for name in ("_of_machine", "_of_container", "_of_process"):
        monkeypatch.setattr(free_memory, name, lambda: None)
    assert free_memory.available_bytes() is None


def packed(tmp_path, syntax, stream):
    """Return a series of which every slice is one compressed stream."""
    images = series.classic()
    for one in images:
        one.PixelData = encapsulate([stream])
        one["PixelData"].VR = "OB"
        one.file_meta.TransferSyntaxUID = syntax
    return series.save(images, tmp_path / "ct")


def jpeg_2000(rows, columns, components=1):
    size = b"".join(n.to_bytes(4, "big") for n in (columns, rows, 0, 0, columns, rows, 0, 0))
    return b"\xff\x4f\xff\x51\x00\x29\x00\x00" + size + components.to_bytes(2, "big") + bytes(40)


@pytest.mark.parametrize("size", [(60000, 60000, 1), (10, 12, 16384), (10, 13, 1)])
def test_a_compressed_frame_that_promises_another_image(size, tmp_path):
    assert _size_of(jpeg_2000(*size)) == size
    words = f"another size.*{size[0]} rows of {size[1]} pixels of {size[2]}.*10 rows of 12"
    refused(packed(tmp_path, JPEG2000Lossless, jpeg_2000(*size)), words)


def test_a_jpeg_ls_frame_that_promises_another_image(tmp_path):
    rows, columns = (60000).to_bytes(2, "big"), (50000).to_bytes(2, "big")
    stream = (
        b"\xff\xd8\xff\xfe\x00\x04ab\xff\xf7\x00\x0b\x10" + rows + columns + b"\x01\x01\x11\x00"
    )
    words = "60000 rows of 50000 pixels"
    refused(packed(tmp_path, JPEGLSLossless, stream), words)


@pytest.mark.parametrize("stream", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"no image", b"\xff" * 90])
def test_a_compressed_frame_without_a_size(stream, tmp_path):
    assert _size_of(stream) is None
    refused(packed(tmp_path, JPEGLSLossless, stream + b"  "), "no size")


def deflated(tmp_path):
    images = series.classic()
    for one in images:
        one.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return series.save(images, tmp_path / "ct")


def test_deflated_dicom_is_read_and_a_deflate_bomb_is_not(tmp_path, monkeypatch):
    folder = deflated(tmp_path)
    np.testing.assert_array_equal(vio.read(folder).to_stored(), series.HU.transpose(2, 1, 0))
    monkeypatch.setattr("voxtrail.io.dicom.files._MAX_INFLATED", 500)
    refused(folder, "too large.*over 500 bytes")


def test_a_segmentation_refers_to_a_deflated_series_too(tmp_path):
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    scan = vio.read(deflated(tmp_path))
    voxels = np.ones(scan.stored.shape, np.uint8)
    labels = LabelMap.from_stored(voxels, scan.stored.affine, {}, scan.provenance)
    vio.write(labels, tmp_path / "seg.dcm")


def test_a_zip_that_grows_out_of_proportion(tmp_path):
    path = tmp_path / "ct.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.dcm", bytes(40 * 2**20))
    refused(path, "no zip of a scan; received: 125829120 bytes")


def test_a_zip_packed_in_an_uncommon_way(tmp_path):
    with zipfile.ZipFile(tmp_path / "ct.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("1.dcm", b"x")
    refused(tmp_path / "ct.zip", "methods .14.")


def entries(count, name=b"x"):
    one = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), *[0] * 4, 0, 0
    )
    return (one + name) * count


def directory(listed, *, long=False, comment=b"", stated=None) -> bytes:
    """A zip that is nothing but its list of members."""
    size = len(listed) if stated is None else stated
    count = min(listed.count(b"PK\1\2"), 0xFFFF)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, 0, len(comment)) + comment
    if long:
        short = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, 2**32 - 1, 0, 0)
        end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, 0)
        end += struct.pack("<4sLQL", b"PK\6\7", 0, len(listed), 1) + short
    return listed + end


@pytest.mark.parametrize("how", [{}, {"long": True}, {"comment": b"about"}], ids=str)
def test_a_zip_of_millions_of_members_is_refused_before_its_list_is_read(
    how, tmp_path, monkeypatch
):
    listed = entries(600_000)  # 150 bytes each would be parsed to 250
    (tmp_path / "ct.zip").write_bytes(directory(listed, **how))
    monkeypatch.setattr(zipfile, "ZipFile", None)  # would fail
    refused(tmp_path / "ct.zip", f"too many members; received: a list of {len(listed)} bytes")


def test_a_zip_that_promises_a_list_of_gigabytes(tmp_path):
    (tmp_path / "ct.zip").write_bytes(directory(entries(3), stated=2**32 - 2))
    refused(tmp_path / "ct.zip", "too many members; received: a list of 4294967294 bytes")


@pytest.mark.parametrize("comment", [b"", b"about"])
@pytest.mark.parametrize("long", [False, True])
def test_zips_of_either_kind_and_with_comments_are_read(comment, long, tmp_path, monkeypatch):
    if long:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    folder = series.save(series.classic(), tmp_path / "ct")
    with zipfile.ZipFile(tmp_path / "ct.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
        archive.comment = comment
    assert (b"PK\6\6" in (tmp_path / "ct.zip").read_bytes()) == long
    read = vio.read(tmp_path / "ct.zip")
    np.testing.assert_array_equal(read.to_stored(), series.HU.transpose(2, 1, 0))


def sequence(tag, value, *, undefined=False) -> bytes:
    """An explicit little-endian sequence."""
    if undefined:
        end = b"\xfe\xff\xdd\xe0\0\0\0\0"
        return struct.pack("<HH2s2xL", *tag, b"SQ", 2**32 - 1) + value + end
    return struct.pack("<HH2s2xL", *tag, b"SQ", len(value)) + value


ITEM = b"\xfe\xff\x00\xe0\0\0\0\0"
PER_FRAME, SHARED = (0x5200, 0x9230), (0x5200, 0x9229)
FLOODS = {
    "frames": lambda **how: sequence(PER_FRAME, ITEM * 20_000, **how),
    "misaligned": lambda **how: sequence(PER_FRAME, bytes(8) * 20_000, **how),
    "within one": lambda **how: sequence(
        PER_FRAME,
        b"\xfe\xff\x00\xe0" + struct.pack("<L", 8 * 20_000 + 12)
        + sequence((0x0020, 0x9113), ITEM * 20_000),
        **how,
    ),
    "elements": lambda **how: sequence(
        SHARED,
        b"\xfe\xff\x00\xe0" + struct.pack("<L", 8 * 20_000)
        + b"".join(struct.pack("<HH2sH", 0x20, n, b"UI", 0) for n in range(20_000)),
        **how,
    ),
    "values": lambda **how: sequence(
        SHARED,
        b"\xfe\xff\x00\xe0" + struct.pack("<LHH2sH", 4008, 0x28, 0x1052, b"DS", 4000)
        + b"1\\" * 2000,
        **how,
    ),
    "binary values": lambda **how: sequence(
        SHARED,
        b"\xfe\xff\x00\xe0" + struct.pack("<LHH2sH", 4008, 0x28, 0x0010, b"US", 4000)
        + bytes(4000),
        **how,
    ),
}  # fmt: skip


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_header_of_millions_of_items_is_refused_while_it_is_parsed(
    flood, undefined, tmp_path, monkeypatch
):
    monkeypatch.setattr("voxtrail.io.dicom.element_budget.MAX_ELEMENTS", 2000)
    one = series.enhanced()
    del one.PerFrameFunctionalGroupsSequence, one.SharedFunctionalGroupsSequence, one.PixelData
    series.save([one], tmp_path / "ct")
    with next((tmp_path / "ct").iterdir()).open("ab") as file:
        file.write(FLOODS[flood](undefined=undefined))
    monkeypatch.setattr("voxtrail.io.dicom.frame_values.MAX_FRAMES", 1000)
    words = "too many elements; received: over 2000 elements, items and values"
    refused(tmp_path / "ct", f"{words}|too many frames; received: over 1000")


def test_references_that_nobody_looks_at_do_not_count(tmp_path, monkeypatch):
    one = series.enhanced()
    for frame in one.PerFrameFunctionalGroupsSequence:
        frame.DerivationImageSequence = [Dataset() for _ in range(500)]
    series.save([one], tmp_path / "ct")
    monkeypatch.setattr("voxtrail.io.dicom.element_budget.MAX_ELEMENTS", 200)
    np.testing.assert_array_equal(
        vio.read(tmp_path / "ct").to_stored(), series.HU.transpose(2, 1, 0)
    )


def test_the_headers_of_many_files_are_counted_together(tmp_path, monkeypatch):
    folder = series.save([series.enhanced() for _ in range(5)], tmp_path / "ct")
    monkeypatch.setattr("voxtrail.io.dicom.element_budget.MAX_ELEMENTS", 200)
    refused(folder, "ct: the DICOM header has too many elements.*over 200")
    for path in sorted(folder.iterdir())[1:]:
        path.unlink()
    np.testing.assert_array_equal(vio.read(folder).to_stored(), series.HU.transpose(2, 1, 0))


def test_a_structure_set_of_millions_of_contours_is_refused(scan, tmp_path, monkeypatch):
    read = vio.read(series.save(series.classic(), tmp_path / "ct"))
    voxels = np.indices(read.stored.shape).sum(axis=0) % 2  # a chess board: many contours
    labels = LabelMap.from_stored(voxels.astype(np.uint8), read.stored.affine, {}, read.provenance)
    vio.write(labels, tmp_path / "seg.rtstruct.dcm")
    monkeypatch.setattr("voxtrail.io.dicom.element_budget.MAX_ELEMENTS", 500)
    with pytest.raises(ImageError, match="too many elements"):
        vio.read_labels(tmp_path / "seg.rtstruct.dcm", like=read)


def test_a_file_far_larger_than_its_header_says(tmp_path, monkeypatch):
    monkeypatch.setattr("voxtrail.io.dicom.pixels._MAX_BESIDES", 100)
    refused(series.save(series.classic(), tmp_path / "ct"), "far more than its header says")


def test_a_damaged_length_takes_no_memory(tmp_path):
    """An element of 4 GB in a file of 1 KB: pydicom would ask for them at once."""
    folder = series.save(series.classic(), tmp_path / "ct")
    path = sorted(folder.iterdir())[0]
    content = path.read_bytes()
    place = content.index(b"nobody")  # the manufacturer, as LO of 16-bit length
    element = content[place - 8 : place - 4] + b"UN\0\0\xf0\xff\xff\xff"
    path.write_bytes(content[: place - 8] + element + content[place:])
    refused(folder, path.name)


def test_what_the_standard_does_not_allow_is_warned_of_nowhere(tmp_path, capfd):
    """Found by fuzzing: pydicom's warnings reached standard error, patient's values and all."""
    images = series.classic()
    folder = series.save(images, tmp_path / "ct")
    for path in folder.iterdir():
        content = path.read_bytes()
        uid = images[0].StudyInstanceUID.encode()
        path.write_bytes(content.replace(uid, b"SECRET" + uid[6:]))
    scan = vio.read(folder)
    labels = LabelMap.from_stored(
        np.ones(scan.stored.shape, np.uint8), scan.stored.affine, {}, scan.provenance
    )
    vio.write(labels, tmp_path / "seg.rtstruct.dcm")
    assert capfd.readouterr() == ("", "")


LINES = ("space directions: (" + "[" * 3000, "[" * 3000, "kinds: " + "[" * 3000, "[" * 900 + ": x")


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_lines_of_an_nrrd_header_that_crash_itk_do_not_reach_it(line, scan, tmp_path):
    """Found by fuzzing: its complaint overruns a buffer, which ends the process."""
    path = tmp_path / "ct.nrrd"
    vio.write(scan, path)
    path.write_bytes(path.read_bytes().replace(b"endian: little", line.encode(), 1))
    refused(path, "damaged.*a line of")


DETACHED = {
    ".nhdr": (b"data file: ct.raw.gz", b"data file: "),
    ".mhd": (b"ElementDataFile = ct.zraw", b"ElementDataFile = "),
}
ELSEWHERE = (
    "/dev/zero",
    "../ct.raw",
    "fifo",
    "LIST",
    "ct%02d.raw 1 2 1",
    "",
    "absent.raw",
    "a" * 400,
)


@pytest.mark.parametrize("suffix", DETACHED)
@pytest.mark.parametrize("name", ELSEWHERE, ids=range(len(ELSEWHERE)))
def test_a_header_may_name_voxels_beside_it_only(suffix, name, scan, tmp_path):
    vio.write(scan, tmp_path / "whole.nrrd")
    path = tmp_path / f"ct{suffix}"
    SimpleITK.WriteImage(SimpleITK.ReadImage(tmp_path / "whole.nrrd"), path, useCompression=True)
    np.testing.assert_array_equal(vio.read(path).voxels, scan.voxels)
    os.mkfifo(tmp_path / "fifo")
    line, start = DETACHED[suffix]
    content = path.read_bytes()
    assert line in content
    path.write_bytes(content.replace(line, start + name.encode()))
    refused(path, r"not beside it|\d files for 7 slices")


def test_an_nrrd_field_that_stands_twice(scan, tmp_path):
    path = tmp_path / "ct.nrrd"
    vio.write(scan, path)
    path.write_bytes(path.read_bytes().replace(b"endian:", b"dimension: 3\nendian:", 1))
    refused(path, "two lines of dimension")


@pytest.mark.parametrize("space", ["RAS", "left-anterior-superior", "LPS"])
def test_an_nrrd_affine_is_read_to_the_last_bit_in_any_space(space, affine, scan, tmp_path):
    signs = {"RAS": (1, 1, 1), "LPS": (-1, -1, 1)}.get(space, (-1, 1, 1))
    vio.write(scan, tmp_path / "ct.nrrd")
    header, _, voxels = (tmp_path / "ct.nrrd").read_bytes().partition(b"\n\n")
    columns = (np.array(signs)[:, None] * affine[:3]).T.tolist()
    *steps, corner = ("(" + ",".join(map(repr, c)) + ")" for c in columns)
    lines = [line for line in header.split(b"\n") if not line.startswith(b"space")]
    place = f"space: {space}\nspace directions: {' '.join(steps)}\nspace origin: {corner}"
    lines.insert(5, place.encode())  # after the dimension
    (tmp_path / "ct.nrrd").write_bytes(b"\n".join(lines) + b"\n\n" + voxels)
    assert vio.read(tmp_path / "ct.nrrd").stored.affine.tobytes() == affine.tobytes()


def test_an_nrrd_with_voxel_sizes_alone_is_read(tmp_path):
    content = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\nspacings: 1 2 3\n"
    content += b"endian: little\nencoding: raw\n\n" + bytes(16)
    (tmp_path / "ct.nrrd").write_bytes(content)
    assert vio.read(tmp_path / "ct.nrrd").stored.spacing_mm == (1, 2, 3)
