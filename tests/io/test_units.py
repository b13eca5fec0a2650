"""NRRD and MetaImage in another unit than millimetres: millimetres inside, as they were outside.

ITK passes over the unit, so what is written must have the scan's numbers for ITK's programs to see
both on one place. (NIfTI's units are in test_nifti_places.)
"""

import numpy as np
import pytest
import SimpleITK

import voxtrail.io as vio
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import evaluate
from voxtrail.io.itk.units import in_mm

MM = {"um": 1e-3, "\u00b5m": 1e-3, "microns": 1e-3, "cm": 10.0, "m": 1e3}


def in_unit(scan: Volume, unit: str, path):
    """Write a scan with a header in that unit, as other programs do."""
    outside = scan.stored.affine.copy()
    outside[:3] /= MM.get(unit, 1.0)
    vio.write(Volume.from_stored(scan.to_stored(), outside), path)
    content = path.read_bytes()
    if path.suffix == ".nrrd":
        header, empty, rest = content.partition(b"\n\n")
        spelled = " ".join([f'"{unit}"'] * 3)
        path.write_bytes(header + f"\nspace units: {spelled}".encode() + empty + rest)
    else:
        line = f"NDims = 3\nDistanceUnits = {unit}\n".encode()
        path.write_bytes(content.replace(b"NDims = 3\n", line))
    return outside


def seen_by_itk(path):
    """4x4 RAS."""
    image = SimpleITK.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ affine


@pytest.mark.parametrize("unit", MM)
@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_lengths_are_millimetres_inside_and_outputs_keep_the_scans_numbers(
    suffix, unit, scan, labels, tmp_path
):
    path = tmp_path / f"ct{suffix}"
    outside = in_unit(scan, unit, path)
    read = vio.read(path)
    np.testing.assert_allclose(read.stored.affine, scan.stored.affine, rtol=1e-12)
    assert f"lengths are stored in {unit}" in read.provenance.notes[0]
    drawn = LabelMap(labels.voxels, read.stored)
    for name in ("seg.nrrd", "seg.mha", "seg.nii.gz", "drawn.seg.nrrd"):
        vio.write(drawn, tmp_path / name)
        # ITK sees the output where it sees the scan, in every format.
        np.testing.assert_allclose(seen_by_itk(tmp_path / name), outside, rtol=1e-5, atol=1e-4)
        back = vio.read_labels(tmp_path / name, like=read)
        np.testing.assert_array_equal(back.voxels, drawn.voxels)
        assert back.notes == ()
    for name in ("seg.nrrd", "seg.mha", "drawn.seg.nrrd"):  # which have the unit
        back = vio.read_labels(tmp_path / name)
        np.testing.assert_allclose(back.stored.affine, scan.stored.affine, rtol=1e-12)
        assert f"lengths are stored in {unit}" in back.notes[0]
    vio.write(read, tmp_path / "again.nrrd")
    np.testing.assert_allclose(vio.read(tmp_path / "again.nrrd").stored.affine, scan.stored.affine)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_labels_that_an_itk_program_drew_on_such_a_scan(suffix, scan, labels, tmp_path):
    """It takes micrometres for millimetres, and its files say nothing of a unit."""
    path = tmp_path / f"ct{suffix}"
    outside = in_unit(scan, "um", path)
    read = vio.read(path)
    for name in ("drawn.nii.gz", "drawn.nrrd", "drawn.mha", "drawn.seg.nrrd"):
        vio.write(LabelMap.from_stored(labels.to_stored(), outside), tmp_path / name)
        drawn = vio.read_labels(tmp_path / name, like=read)
        np.testing.assert_array_equal(drawn.voxels, labels.voxels)
        # Distances are the scan's, in millimetres.
        moved = LabelMap(np.roll(labels.voxels, 1, 0), drawn.stored)
        scores = evaluate(moved, drawn).everywhere.scores
        assert max(one.hausdorff_mm for one in scores.values()) < 10


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("unit", ["mm", "millimeter", ""])
def test_millimetres_say_nothing(suffix, unit, scan, tmp_path):
    in_unit(scan, unit, tmp_path / f"ct{suffix}")
    read = vio.read(tmp_path / f"ct{suffix}")
    np.testing.assert_allclose(read.stored.affine, scan.stored.affine, rtol=1e-12)
    assert (read.provenance.notes, read.stored.header) == ((), None)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_a_unit_that_nobody_knows_is_said_and_taken_for_millimetres(suffix, scan, tmp_path):
    in_unit(scan, "furlong", tmp_path / f"ct{suffix}")
    read = vio.read(tmp_path / f"ct{suffix}")
    np.testing.assert_allclose(read.stored.affine, scan.stored.affine, rtol=1e-12)
    assert "lengths in 'furlong', a unit that is not known" in read.provenance.notes[0]


@pytest.mark.parametrize(
    ("units", "sides_mm"), [('"um" "um" "um"', (1, 2, 3)), ('"mm" "mm" "um"', (1e3, 2e3, 3e3))]
)
def test_units_of_axes_without_a_space(units, sides_mm, tmp_path):
    content = (
        "NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\nspacings: 1000 2000 3000\n"
        f"units: {units}\nendian: little\nencoding: raw\n\n"
    )
    (tmp_path / "ct.nrrd").write_bytes(content.encode() + bytes(16))
    read = vio.read(tmp_path / "ct.nrrd")
    np.testing.assert_allclose(read.stored.spacing_mm, sides_mm)
    assert ("'mm, um', a unit that is not known" in read.provenance.notes[0]) == ("mm" in units)


def test_a_function_of_values_that_itk_passes_over_is_said(scan, tmp_path):
    vio.write(scan, tmp_path / "ct.mha")
    whole = (tmp_path / "ct.mha").read_bytes()
    for slope, offset, said in ((1, 0, False), (2, 0, True), (1, -1024, True)):
        lines = f"ElementToIntensityFunctionSlope = {slope}\n"
        lines += f"ElementToIntensityFunctionOffset = {offset}\n"
        start = b"NDims = 3\n"
        (tmp_path / "ct.mha").write_bytes(whole.replace(start, start + lines.encode()))
        read = vio.read(tmp_path / "ct.mha")
        np.testing.assert_array_equal(read.voxels, scan.voxels)
        assert any("as they are stored" in note for note in read.provenance.notes) == said


def test_what_is_told_of_an_affine():
    own, header, notes = in_mm(np.diag([500.0, 500, 500, 1]), "um")
    np.testing.assert_array_equal(own, np.diag([0.5, 0.5, 0.5, 1]))
    assert header is not None
    assert (header.unit, len(notes)) == ("um", 1)
    np.testing.assert_array_equal(header.itk, np.diag([500.0, 500, 500, 1]))
