"""DICOM Segmentation: what highdicom, dcmqi and dciodvfy make of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

import voxtrail.io as vio
from tests.io import series
from voxtrail.core.volume import LabelMap
from voxtrail.errors import ImageError, OutputError

highdicom = pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")

NAMES = {1: "rib_left_3", 2: "drawn\\by hand: Größe", 7: "vertebrae_L1", 9: "absent"}
FORMS = ("classic", "enhanced", "zip")


def source(form: str, folder: Path) -> Path:
    if form == "enhanced":
        return series.save([series.enhanced()], folder / "ct")
    saved = series.save(series.classic(), folder / "ct")
    return series.zipped(saved) if form == "zip" else saved


def labelled(scan) -> LabelMap:
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[2:5, 3:7, 1:3] = 1
    voxels[6:9, 2:4, 3] = 7
    voxels[9, 5, 2:5] = 2
    voxels[0, 0, 0] = 7
    return LabelMap.from_stored(voxels, scan.stored.affine, NAMES, scan.provenance)


def lps(labels: LabelMap, index) -> np.ndarray:
    return (np.diag([-1, -1, 1, 1]) @ labels.stored.affine @ [*index, 1])[:3]


@pytest.mark.parametrize("form", FORMS)
def test_highdicom_finds_voxels_millimetres_and_references(form, tmp_path):
    scan = vio.read(source(form, tmp_path))
    labels = labelled(scan)
    vio.write(labels, tmp_path / "bones.dcm")
    seg = highdicom.seg.segread(tmp_path / "bones.dcm")
    assert seg.SegmentationType == "BINARY"
    assert [seg.get_segment_description(n).segment_label for n in (1, 2, 3)] == [
        "rib_left_3", "drawn by hand: Größe", "vertebrae_L1",
    ]  # fmt: skip
    found = {}
    volume = seg.get_volume(combine_segments=True)
    for index in np.argwhere(volume.array):
        millimetres = (volume.affine @ [*index, 1])[:3]
        label = (1, 2, 7)[volume.array[tuple(index)] - 1]
        found[tuple(np.round(millimetres, 3) + 0.0)] = label
    expected = {
        tuple(np.round(lps(labels, index), 3) + 0.0): labels.to_stored()[tuple(index)]
        for index in np.argwhere(labels.to_stored())
    }
    assert found == expected
    images = {one.SOPInstanceUID for one in map(pydicom.dcmread, (tmp_path / "ct").iterdir())}
    slices = {}
    for frame in seg.PerFrameFunctionalGroupsSequence:
        (reference,) = frame.DerivationImageSequence[0].SourceImageSequence
        assert reference.ReferencedSOPInstanceUID in images
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        slices[reference.ReferencedSOPInstanceUID, reference.get("ReferencedFrameNumber")] = (
            position
        )
    if form == "classic":
        for path in (tmp_path / "ct").iterdir():
            one = pydicom.dcmread(path)
            position = slices.get((one.SOPInstanceUID, None), one.ImagePositionPatient)
            np.testing.assert_allclose(position, one.ImagePositionPatient, atol=1e-6)
    if form == "enhanced":
        for (_, frame), position in slices.items():
            number = (2, 0, 5, 3, 1, 4)[frame - 1]
            np.testing.assert_allclose(position, series.place_lps(0, 0, number), atol=1e-6)


def test_codes_are_those_of_the_names_and_the_patient_that_of_the_source(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    vio.write(labelled(scan), tmp_path / "bones.dcm")
    seg = pydicom.dcmread(tmp_path / "bones.dcm")
    kinds = [one.SegmentedPropertyTypeCodeSequence[0] for one in seg.SegmentSequence]
    assert [kind.CodeValue for kind in kinds] == ["25888004", "85756007", "66794005"]
    assert kinds[0].SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == "7771000"
    assert [one.SegmentDescription for one in seg.SegmentSequence] == [
        "label 1", "label 2", "label 7",
    ]  # fmt: skip
    first = pydicom.dcmread(next((tmp_path / "ct").iterdir()))
    for name in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert seg[name].value == first[name].value
    assert seg.SeriesInstanceUID != first.SeriesInstanceUID
    assert seg.Manufacturer == "voxtrail"


@pytest.mark.parametrize("form", FORMS[:2])
def test_dciodvfy_finds_no_error(form, tmp_path):
    tool = shutil.which("dciodvfy")
    if tool is None:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    scan = vio.read(source(form, tmp_path))
    vio.write(labelled(scan), tmp_path / "bones.dcm")
    done = subprocess.run(
        [tool, tmp_path / "bones.dcm"], capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if line.startswith(("Error", "Warning"))] == []
    assert "Segmentation" in said


def test_dcmqi_reads_the_same_voxels(tmp_path):
    tool = shutil.which("segimage2itkimage", path=Path(sys.executable).parent)
    if tool is None:
        pytest.skip("dcmqi is not installed")
    labels = labelled(vio.read(source("classic", tmp_path)))
    vio.write(labels, tmp_path / "bones.dcm")
    subprocess.run(
        f"{tool} --inputDICOM bones.dcm --outputDirectory . -t nrrd -p read".split(),
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    meta = json.loads((tmp_path / "read-meta.json").read_text())
    names = [one["SegmentLabel"] for group in meta["segmentAttributes"] for one in group]
    assert names == ["rib_left_3", "drawn by hand: Größe", "vertebrae_L1"]
    for number, label in ((1, 1), (2, 2), (3, 7)):
        image = SimpleITK.ReadImage(str(tmp_path / f"read-{number}.nrrd"))
        read = SimpleITK.GetArrayFromImage(image).transpose(2, 1, 0)  # (column, row, slice)
        places = [image.TransformIndexToPhysicalPoint(i.tolist()) for i in np.argwhere(read)]
        wanted = [lps(labels, i) for i in np.argwhere(labels.to_stored() == label)]
        np.testing.assert_allclose(sorted(places), sorted(map(tuple, wanted)), atol=1e-3)


def test_what_cannot_be_referred_to_is_refused_before_any_work(scan, labels, tmp_path):
    with pytest.raises(OutputError, match="not read from DICOM"):
        vio.check_output(tmp_path / "bones.dcm", of=scan)
    with pytest.raises(OutputError, match="not read from DICOM"):
        vio.write(labels, tmp_path / "bones.dcm")
    images = series.classic()
    images[3].StudyInstanceUID = ""
    bare = vio.read(series.save(images, tmp_path / "bare"))
    with pytest.raises(OutputError, match="without StudyInstanceUID") as caught:
        vio.check_output(tmp_path / "bones.dcm", of=bare)
    assert not any(secret in str(caught.value) for secret in series.SECRET)
    gone = vio.read(source("classic", tmp_path))
    shutil.rmtree(tmp_path / "ct")
    with pytest.raises(ImageError, match="cannot be read"):
        vio.write(labelled(gone), tmp_path / "bones.dcm")
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_labels_without_a_voxel_are_refused(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    empty = LabelMap.from_stored(
        np.zeros(scan.stored.shape, np.uint8), scan.stored.affine, NAMES, scan.provenance
    )
    with pytest.raises(OutputError, match="cannot be empty"):
        vio.write(empty, tmp_path / "bones.dcm")


def test_two_multi_frame_objects_are_refused_in_one_line(tmp_path):
    first, second = series.enhanced((0, 1, 2)), series.enhanced((3, 4, 5))
    second.SeriesInstanceUID = first.SeriesInstanceUID
    scan = vio.read(series.save([first, second], tmp_path / "ct"))
    with pytest.raises(OutputError, match="2 objects with 6 slices") as caught:
        vio.write(labelled(scan), tmp_path / "bones.dcm")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "bones.dcm").exists()


def test_slices_that_lean_as_headers_round_are_referred_to_all_the_same(tmp_path):
    """0.08 degrees: `voxtrail.io.dicom.stack` lets a tenth pass; highdicom's volumes do not."""
    images = series.classic()
    for number, one in enumerate(images):
        place = series.place_lps(number * 0.005, 0, number)
        one.ImagePositionPatient = [float(f"{mm:.9f}") for mm in place]
    labels = labelled(vio.read(series.save(images, tmp_path / "ct")))
    vio.write(labels, tmp_path / "bones.dcm")
    assert len(pydicom.dcmread(tmp_path / "bones.dcm").SegmentSequence) == 3


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")  # of the writing below
def test_a_source_that_breaks_the_standard_is_no_traceback_and_quotes_nobody(tmp_path, capfd):
    images = series.classic()
    for one in images:
        one.add_new("PatientBirthDate", "DA", "SECRET")
    scan = vio.read(series.save(images, tmp_path / "ct"))
    with pytest.raises(OutputError, match="breaks the standard") as caught:
        vio.write(labelled(scan), tmp_path / "bones.dcm")
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in "".join(capfd.readouterr())
