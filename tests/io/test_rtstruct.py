"""RT structure sets: contours that enclose the labels' voxels, each on its slice."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from matplotlib.path import Path as Outline

import voxtrail.io as vio
from tests.io import series
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OutputError

NAMES = {1: "rib_left_3", 2: "drawn\\by hand: Größe", 7: "vertebrae_L1"}


def source(form: str, folder: Path) -> Path:
    if form == "enhanced":
        return series.save([series.enhanced()], folder / "ct")
    if form == "two objects":
        first, second = series.enhanced((0, 3, 1)), series.enhanced((2, 5, 4))
        second.SeriesInstanceUID = first.SeriesInstanceUID
        return series.save([first, second], folder / "ct")
    images = series.classic()
    if form == "off place":
        place = series.place_lps(0.005, 0, 2.012)
        images[2].ImagePositionPatient = [float(f"{mm:.9f}") for mm in place]
    saved = series.save(images, folder / "ct")
    return series.zipped(saved) if form == "zip" else saved


def labelled(scan) -> LabelMap:
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[2:7, 3:8, 1:3] = 1
    voxels[4, 5, 1] = 0  # a hole
    voxels[6:9, 2:4, 3] = 7
    voxels[9, 5, 2:5] = 2
    voxels[0, 0, 0] = 7
    return LabelMap.from_stored(voxels, scan.stored.affine, NAMES, scan.provenance)


def rasterised(contours, labels: LabelMap) -> tuple[np.ndarray, float]:
    """Fill contours in LPS mm; also how far points lie off the slices' planes, in voxels."""
    into = np.linalg.inv(np.diag([-1, -1, 1, 1]) @ labels.stored.affine)
    filled = np.zeros(labels.stored.shape, bool)
    columns, rows = np.indices(filled.shape[:2])
    centres = np.column_stack([columns.ravel(), rows.ravel()])
    off = 0.0
    for contour in contours:
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        assert len(points) == contour.NumberOfContourPoints
        index = (into @ np.column_stack([points, np.ones(len(points))]).T)[:3].T
        number = int(np.rint(index[0, 2]))
        off = max(off, np.abs(index[:, 2] - number).max())
        inside = Outline(index[:, :2]).contains_points(centres).reshape(filled.shape[:2])
        filled[:, :, number] ^= inside
    return filled, off


@pytest.mark.parametrize("form", ["classic", "enhanced", "zip", "two objects", "off place"])
def test_contours_enclose_the_voxels_on_the_slices_they_refer_to(form, tmp_path):
    scan = vio.read(source(form, tmp_path))
    labels = labelled(scan)
    vio.write(labels, tmp_path / "bones.rtstruct.dcm")
    structures = pydicom.dcmread(tmp_path / "bones.rtstruct.dcm")
    names = [roi.ROIName for roi in structures.StructureSetROISequence]
    assert names == ["rib_left_3", "drawn by hand: Größe", "vertebrae_L1"]
    positions = {}
    for path in (tmp_path / "ct").iterdir():
        one = pydicom.dcmread(path)
        for frame in range(int(one.get("NumberOfFrames", 1))):
            plane = one
            if "NumberOfFrames" in one:
                plane = one.PerFrameFunctionalGroupsSequence[frame].PlanePositionSequence[0]
            number = frame + 1 if "NumberOfFrames" in one else None
            positions[one.SOPInstanceUID, number] = np.array(plane.ImagePositionPatient)
    for label, roi in zip((1, 2, 7), structures.ROIContourSequence, strict=True):
        filled, off = rasterised(roi.ContourSequence, labels)
        np.testing.assert_array_equal(filled, labels.to_stored() == label)
        assert off < (0.013 if form == "off place" else 1e-5)
        for contour in roi.ContourSequence:
            (image,) = contour.ContourImageSequence
            where = image.ReferencedSOPInstanceUID, image.get("ReferencedFrameNumber")
            point = np.array(contour.ContourData[:3], float)
            assert abs((point - positions[where]) @ series.NORMAL) < 1e-4


def test_patient_study_and_codes(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    vio.write(labelled(scan), tmp_path / "bones.rtstruct.dcm")
    structures = pydicom.dcmread(tmp_path / "bones.rtstruct.dcm")
    first = pydicom.dcmread(next((tmp_path / "ct").iterdir()))
    for name in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert structures[name].value == first[name].value
    codes = [
        one.RTROIIdentificationCodeSequence[0].CodeValue
        for one in structures.RTROIObservationsSequence
    ]
    assert codes == ["25888004", "85756007", "66794005"]


@pytest.mark.parametrize("form", ["classic", "enhanced"])
def test_dciodvfy_finds_no_error(form, tmp_path):
    tool = shutil.which("dciodvfy")
    if tool is None:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    scan = vio.read(source(form, tmp_path))
    vio.write(labelled(scan), tmp_path / "bones.rtstruct.dcm")
    done = subprocess.run(
        [tool, tmp_path / "bones.rtstruct.dcm"], capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if line.startswith(("Error", "Warning"))] == []
    assert "RTStructureSet" in said


def test_labels_of_no_series_are_refused(labels, tmp_path):
    with pytest.raises(OutputError, match="not read from DICOM"):
        vio.write(labels, tmp_path / "bones.rtstruct.dcm")
