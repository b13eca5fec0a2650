"""What a refusal advises about files works: each remedy that names an option is followed.

`test_remedies_of_models` follows those about models, studies and benches; `test_every_remedy` sees
to it that none is forgotten.
"""

import json
import re

import nibabel as nib
import numpy as np
import pytest

from tests.cli.files import outlined, save, stored, stored_labels
from tests.cli.remedies import follows
from tests.io import series
from voxtrail import io as vio
from voxtrail.core.volume import LabelMap


def remedy_of(said):
    assert said.code == 2, said
    return said.err.strip().rpartition("; ")[2]


@follows(
    "name it with --axes (planes=), for example --axes ",
)
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


@follows(
    "outline a slice of that axis, or name the prompts' axis with --axes",
)
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


@follows(
    "choose another name, or replace it with --force (force=True)",
)
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


@follows(
    "name the scan with --like (like=)",
)
def test_contours_without_their_scan(dicom, voxtrail):
    """simulate and evaluate: --like."""
    contours = dicom / "a.rtstruct.dcm"
    simulate = ("simulate", contours, "-o", dicom / "p.json")
    evaluate = ("evaluate", contours, contours)
    for run in (simulate, evaluate):
        assert "--like" in remedy_of(voxtrail(*run))
        assert voxtrail(*run, "--like", dicom / "ct").code == 0


@follows(
    "choose among them with --structures (structures=)",
    "choose structures with --structures (structures=), or close the contours",
)
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


@follows(
    "pass only the masks that are wanted, without --structures",
)
def test_structures_of_several_files(dicom, voxtrail):
    """evaluate: without --structures."""
    for label in (1, 4):
        read = vio.read_labels(dicom / "a.nii.gz")
        read = LabelMap((read.voxels == label).astype(np.uint8), read.stored)
        vio.write(read, dicom / f"{label}.nii.gz")
    run = ("evaluate", dicom / "a.nii.gz", dicom / "1.nii.gz", dicom / "4.nii.gz")
    assert "without --structures" in remedy_of(voxtrail(*run, "--structures", "1"))
    assert voxtrail(*run).code == 0


@follows(
    "choose one with --series (series=): its UID, its number or #N",
    "leave --series (series=) out",
)
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


@follows("name the scan that was labelled with --like (like=)")
def test_a_frame_without_a_spacing(dicom, voxtrail):
    """evaluate: --like."""
    import pydicom

    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    scan = vio.read(dicom / "ct")
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[2:6, 3:8, 3] = 1
    labels = LabelMap.from_stored(voxels, scan.stored.affine, {}, scan.provenance)
    vio.write(labels, dicom / "one.dcm")
    vio.write(labels, dicom / "one.nii.gz")
    one = pydicom.dcmread(dicom / "one.dcm")
    del one.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices
    one.save_as(dicom / "one.dcm")
    run = ("simulate", dicom / "one.dcm", "-o", dicom / "p.json")
    assert "--like" in remedy_of(voxtrail(*run))
    assert voxtrail(*run, "--like", dicom / "ct").code == 0


@follows(
    "name the scan that they were drawn on, or choose other structures with --structures "
    "(structures=)"
)
def test_contours_between_slices(dicom, voxtrail):
    """simulate: --structures."""
    import pydicom

    drawn = pydicom.dcmread(dicom / "a.rtstruct.dcm")
    contour = drawn.ROIContourSequence[1].ContourSequence[0]
    half = np.array(contour.ContourData, float).reshape(-1, 3) + series.NORMAL * 1.25
    contour.ContourData = [f"{mm:.6f}" for mm in half.ravel()]
    drawn.save_as(dicom / "a.rtstruct.dcm")
    run = ("simulate", dicom / "a.rtstruct.dcm", "-o", dicom / "p.json", "--like", dicom / "ct")
    assert "--structures" in remedy_of(voxtrail(*run))
    assert voxtrail(*run, "--structures", "hip_left").code == 0


@follows("pass for example --axes axial,coronal,sagittal")
def test_axes_that_are_said_twice(case, voxtrail):
    """simulate: --axes."""
    run = ("simulate", case / "truth.nii.gz", "-o", case / "p.json")
    advised = re.search(r"--axes (\S+)", remedy_of(voxtrail(*run, "--axes", "axial,axial")))
    assert voxtrail(*run, "--axes", advised[1]).code == 0


@follows("widen --roi or leave the prompt out")
def test_a_region_that_leaves_a_prompt_out(case, nano, voxtrail):
    """segment: --roi."""
    run = ("segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "s.nii.gz",
           "--model", nano, "--crop", "none")  # fmt: skip
    assert "--roi" in remedy_of(voxtrail(*run, "--roi", "0:3,0:3,0:3"))
    whole = ",".join(f"0:{n}" for n in stored()[0].shape)
    assert voxtrail(*run, "--roi", whole).code == 0


@follows(
    "{}: {} voxels, one at {} as stored, were also drawn for another label; where labels compete, "
    "the one of which less was drawn has them; --overlap apart keeps both",
)
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
