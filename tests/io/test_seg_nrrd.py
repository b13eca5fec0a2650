"""``.seg.nrrd``: what 3D Slicer's own reader, slicerio, makes of it."""

import numpy as np
import pytest
import SimpleITK

import voxtrail.io as vio
from voxtrail.core.palette import PALETTE, rgb
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import OutputError

NAMES = {1: "hip_left", 2: "vertebrae_L1", 7: "drawn  by\nhand: big", 9: "absent"}


@pytest.fixture
def named(labels) -> LabelMap:
    return LabelMap(labels.voxels, labels.stored, NAMES)


def test_slicer_finds_names_colours_codes_voxels_and_place(named, tmp_path):
    slicerio = pytest.importorskip("slicerio", reason="slicerio is not installed")
    vio.write(named, tmp_path / "bones.seg.nrrd")
    read = slicerio.read_segmentation(str(tmp_path / "bones.seg.nrrd"))
    np.testing.assert_array_equal(read["voxels"], named.to_stored())
    lps = np.diag([-1, -1, 1, 1]) @ named.stored.affine
    np.testing.assert_allclose(read["ijkToLPS"], lps, rtol=1e-12)
    assert read["masterRepresentation"] == "Binary labelmap"
    assert read["containedRepresentationNames"] == ["Binary labelmap"]
    assert read["referenceImageExtentOffset"] == [0, 0, 0]
    segments = read["segments"]
    assert [s["labelValue"] for s in segments] == [1, 2, 7, 9]
    assert [s["name"] for s in segments] == [
        "hip_left", "vertebrae_L1", "drawn by hand: big", "absent",
    ]  # fmt: skip
    for segment, colour in zip(segments, PALETTE, strict=False):
        np.testing.assert_allclose(segment["color"], np.array(rgb(colour)) / 255, atol=1e-5)
        assert segment["extent"] == [0, 4, 0, 5, 0, 6]
    assert segments[1]["terminology"]["type"] == ["SCT", "66794005", "L1 vertebra"]
    assert segments[0]["terminology"]["typeModifier"] == ["SCT", "7771000", "Left"]
    assert segments[2]["terminology"]["type"] == ["SCT", "85756007", "Tissue"]
    assert segments[2]["terminology"]["category"] == ["SCT", "85756007", "Tissue"]


def test_names_and_labels_come_back(named, tmp_path):
    # (slicerio's parser drops letters beyond ASCII; Slicer itself reads UTF-8.)
    names = {**NAMES, 9: "größer"}
    vio.write(LabelMap(named.voxels, named.stored, names), tmp_path / "bones.seg.nrrd")
    read = vio.read_labels(tmp_path / "bones.seg.nrrd")
    np.testing.assert_array_equal(read.voxels, named.voxels)
    assert read.stored.affine.tobytes() == named.stored.affine.tobytes()
    assert read.names == {**names, 7: "drawn by hand: big"}


def test_a_segmentation_that_slicer_wrote_is_read_with_its_names(tmp_path):
    """Slicer numbers segments freely and writes an empty one without a value in the file."""
    image = SimpleITK.GetImageFromArray(np.eye(4, dtype=np.uint8)[None].repeat(3, 0) * 5)
    for key, value in {
        "Segment0_ID": "Segment_3",
        "Segment0_LabelValue": "5",
        "Segment0_Name": "Rippe",
        "Segment1_LabelValue": "many",
        "Segment1_Name": "no number",
        "Segment2_LabelValue": "6",
    }.items():
        image.SetMetaData(key, value)
    SimpleITK.WriteImage(image, str(tmp_path / "s.seg.nrrd"))
    read = vio.read_labels(tmp_path / "s.seg.nrrd")
    assert (read.labels(), read.names) == ((5,), {5: "Rippe"})


def test_names_that_are_no_utf_8_do_no_harm(named, tmp_path):
    """Found by trial: ITK hands such bytes on as half characters that nothing can write."""
    path = tmp_path / "s.seg.nrrd"
    vio.write(named, path)
    path.write_bytes(path.read_bytes().replace(b"Name:=hip_left", b"Name:=hip_\xf6\xdfa", 1))
    read = vio.read_labels(path)
    assert read.names[1] == "hip_\ufffd\ufffda"
    vio.write(LabelMap(read.voxels, read.stored, {1: "half \udcf6"}), path, force=True)
    assert vio.read_labels(path).names[1] == "half ?"


def test_a_scan_is_no_segmentation(scan, tmp_path):
    with pytest.raises(OutputError, match=r"holds labels only.*\.nii\.gz"):
        vio.write(Volume(scan.voxels, scan.stored), tmp_path / "ct.seg.nrrd")
    assert list(tmp_path.iterdir()) == []
