"""What a refusal advises works: each remedy that names an option is followed and then accepted."""

import json
import re

import nibabel as nib
import numpy as np
import pytest

from tests.cli.files import outlined, save, stored, stored_labels
from tests.io import series
from voxtrail import io as vio
from voxtrail.core.volume import LabelMap


def remedy_of(said):
    assert said.code == 2, said
    return said.err.strip().rpartition("; ")[2]


def test_a_plane_that_cannot_be_told_is_named(case, nano, voxtrail):
    """segment and evaluate: --axes."""
    labels = stored_labels()
    labels[labels > 1] = 0
    save(case / "prompts.nii.gz", labels)
    run = ("segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "s.nii.gz",
           "--model", nano, "--crop", "none")  # fmt: skip
    advised = re.search(r"--axes (\w+)", remedy_of(voxtrail(*run)))
    assert voxtrail(*run, "--axes", advised[1]).code == 0
    run = ("evaluate", case / "s.nii.gz", case / "truth.nii.gz", "--prompts",
           case / "prompts.nii.gz")  # fmt: skip
    advised = re.search(r"--axes (\w+)", remedy_of(voxtrail(*run)))
    assert voxtrail(*run, "--axes", advised[1]).code == 0


def test_prompts_on_another_axis_than_asked_for(case, nano, voxtrail):
    """segment: --axes."""
    (case / "p.json").write_text(
        json.dumps(
            {
                "format": "voxtrail-prompts/1",
                "prompts": [{"label": 1, "axis": "coronal", "slice": 4, "box_xyxy": [2, 2, 6, 6]}],
            }
        )
    )
    run = ("segment", case / "ct.nii.gz", case / "p.json", "-o", case / "s.nii.gz",
           "--model", nano, "--crop", "none")  # fmt: skip
    assert "--axes" in remedy_of(voxtrail(*run, "--axes", "axial"))
    assert voxtrail(*run, "--axes", "coronal").code == 0


def test_an_output_that_is_there(case, nano, voxtrail):
    """segment, simulate: --force."""
    segment = ("segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "s.nii.gz",
               "--model", nano, "--crop", "none")  # fmt: skip
    simulate = ("simulate", case / "truth.nii.gz", "-o", case / "p.json")
    for run in (segment, simulate):
        assert voxtrail(*run).code == 0
        assert "--force" in remedy_of(voxtrail(*run))
        assert voxtrail(*run, "--force").code == 0


@pytest.fixture
def dicom(tmp_path):
    scan = vio.read(series.save(series.classic(), tmp_path / "ct"))
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[2:6, 3:8, 1:5], voxels[8:11, 2:6, 2:5] = 1, 4
    names = {1: "hip_left", 4: "sacrum"}
    labels = LabelMap.from_stored(voxels, scan.stored.affine, names, scan.provenance)
    vio.write(labels, tmp_path / "a.rtstruct.dcm")
    vio.write(labels, tmp_path / "a.nii.gz")
    return tmp_path


def test_contours_without_their_scan(dicom, voxtrail):
    """simulate and evaluate: --like."""
    contours = dicom / "a.rtstruct.dcm"
    simulate = ("simulate", contours, "-o", dicom / "p.json")
    evaluate = ("evaluate", contours, contours)
    for run in (simulate, evaluate):
        assert "--like" in remedy_of(voxtrail(*run))
        assert voxtrail(*run, "--like", dicom / "ct").code == 0


def test_structures_of_another_name_and_open_contours(dicom, voxtrail):
    """--structures."""
    import pydicom

    like = ("--like", dicom / "ct")
    run = ("simulate", dicom / "a.rtstruct.dcm", "-o", dicom / "p.json", *like)
    said = voxtrail(*run, "--structures", "liver")
    assert "--structures" in remedy_of(said)
    assert "accepted: hip_left, sacrum" in said.err
    drawn = pydicom.dcmread(dicom / "a.rtstruct.dcm")
    drawn.ROIContourSequence[1].ContourSequence[0].ContourGeometricType = "OPEN_PLANAR"
    drawn.save_as(dicom / "a.rtstruct.dcm")
    assert "--structures" in remedy_of(voxtrail(*run))
    assert voxtrail(*run, "--structures", "hip_left").code == 0


def test_structures_of_several_files(dicom, voxtrail):
    """evaluate: without --structures."""
    masks = (dicom / "a.nii.gz",) * 3
    assert "without --structures" in remedy_of(voxtrail("evaluate", *masks, "--structures", "1"))


def test_several_series_and_one_that_is_none(dicom, voxtrail):
    """simulate: --series."""
    for number, one in enumerate(series.classic()):
        one.SeriesInstanceUID, one.SeriesNumber = "1.2.3.99", 9
        one.save_as(dicom / "ct" / f"other{number}.dcm")
    run = ("simulate", dicom / "a.nii.gz", "-o", dicom / "p.json", "--like", dicom / "ct")
    assert "--series" in remedy_of(voxtrail(*run))
    assert voxtrail(*run, "--series", "#1").code == 0
    alone = ("simulate", dicom / "a.nii.gz", "-o", dicom / "q.json", "--like", dicom / "a.nii.gz")
    assert "leave --series" in remedy_of(voxtrail(*alone, "--series", "1"))
    assert voxtrail(*alone).code == 0


def test_what_two_labels_were_drawn_on_is_kept_for_both(case, nano, voxtrail):
    """segment: --overlap apart, which a warning names."""
    columns, rows = stored()[0].shape[0], stored()[0].shape[2]
    mask = {"shape_xy": [columns, rows], "counts": [40, 5, columns * rows - 45]}
    prompts = [{"label": n, "axis": "axial", "slice": 3, "mask_rle": mask} for n in (1, 2)]
    (case / "p.json").write_text(json.dumps({"format": "voxtrail-prompts/1", "prompts": prompts}))
    run = ("segment", case / "ct.nii.gz", case / "p.json", "-o", case / "s.nii.gz",
           "--model", nano, "--crop", "none", "--extent", "prompts")  # fmt: skip
    assert "--overlap apart keeps both" in voxtrail(*run).err
    assert voxtrail(*run, "--force", "--overlap", "apart").code == 0
    for label in (1, 2):
        written = np.asarray(nib.load(case / f"s.label-{label}.nii.gz").dataobj)
        assert np.count_nonzero(written) == 5


def test_labels_on_another_grid(case, nano, voxtrail):
    """No option helps, and none is named."""
    affine = stored()[1].copy()
    affine[:3, 3] += affine[:3, 0] / 2
    save(case / "prompts.nii.gz", outlined(), affine)
    said = voxtrail("segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "s.nii.gz",
                    "--model", nano)  # fmt: skip
    assert "--" not in remedy_of(said)
    assert "voxels) off, at its corner" in said.err
