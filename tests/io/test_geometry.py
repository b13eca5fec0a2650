"""Every input format by every output format: labels on the same voxels and the same millimetres.

What is drawn is known in patient millimetres, apart from any file. Inputs are written, and outputs
read, by other libraries than voxtrail, each with its own account of where a voxel lies.
"""

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK
from matplotlib.path import Path as Outline

import voxtrail.io as vio
from tests.io import series
from tests.io.conftest import oblique_affine
from voxtrail.core.volume import LabelMap
from voxtrail.io.registry import formats, suffix_of

LPS_RAS = np.array([-1.0, -1.0, 1.0])
SHAPE = (series.COLUMNS, series.ROWS, series.SLICES)
HU = series.HU.transpose(2, 1, 0)  # (column, row, slice)
NAMES = {3: "rib_left_3", 300: "vertebrae_L1"}

VOLUMES = [suffix for known in formats() if known.write_scan for suffix in known.suffixes]
SERIES = ["folder", "zip", "enhanced"]
OUTPUTS = {suffix: known for known in formats() for suffix in known.written}
#: Formats that refer to a DICOM series are refused for other scans (test_dicom_seg).
CASES = [
    (form, suffix)
    for form in (*VOLUMES, *SERIES)
    for suffix, known in OUTPUTS.items()
    if form in SERIES or not known.check_source
]


def made(form: str, folder):
    """Write the scan as ``form``; return its path and the (..., 3) RAS mm of its voxels."""
    if form in SERIES:
        images = [series.enhanced()] if form == "enhanced" else series.classic()
        path = series.save(images, folder / "ct")
        path = series.zipped(path) if form == "zip" else path
        corner = series.place_lps(0, 0, 0)
        steps = [series.place_lps(*np.eye(3)[axis]) - corner for axis in range(3)]
        affine = np.eye(4)
        affine[:3] = LPS_RAS[:, None] * np.column_stack([*steps, corner])
    else:
        path, affine = folder / f"ct{form}", oblique_affine()
        assert np.linalg.det(affine[:3, :3]) < 0  # left-handed
        if form.startswith(".nii"):
            nib.Nifti1Image(HU, affine).to_filename(path)
        else:
            image = SimpleITK.GetImageFromArray(HU.transpose(2, 1, 0))
            lps = LPS_RAS[:, None] * affine[:3]
            spacing = np.linalg.norm(lps[:, :3], axis=0)
            image.SetSpacing(spacing.tolist())
            image.SetDirection((lps[:, :3] / spacing).ravel().tolist())
            image.SetOrigin(lps[:, 3].tolist())
            SimpleITK.WriteImage(image, str(path))
    return path, np.moveaxis(np.indices(SHAPE), 0, -1) @ affine[:3, :3].T + affine[:3, 3]


def drawn(places: np.ndarray) -> np.ndarray:
    """Two lumps that no flip or exchange of axes maps onto themselves."""
    middle = places[SHAPE[0] // 2, SHAPE[1] // 2, SHAPE[2] // 2]
    labels = np.zeros(SHAPE, np.uint16)
    labels[np.linalg.norm(places - middle, axis=-1) < 3.2] = 300
    labels[np.linalg.norm(places - places[1, 2, 1], axis=-1) < 1.3] = 3
    return labels


def read_nifti(path):
    image = nib.load(path)
    return np.asarray(image.dataobj), image.affine


def read_itk(path):
    image = SimpleITK.ReadImage(str(path))
    lps = np.array([image.TransformContinuousIndexToPhysicalPoint(p) for p in np.eye(4, 3, k=-1)])
    affine = np.eye(4)
    affine[:3] = LPS_RAS[:, None] * np.column_stack([*(lps[1:] - lps[0]), lps[0]])
    return SimpleITK.GetArrayFromImage(image).transpose(2, 1, 0), affine


def voxels_of(read):
    def points(path, label):
        array, affine = read(path)
        return np.argwhere(array == label) @ affine[:3, :3].T + affine[:3, 3]

    return points


def of_segmentation(path, label):
    """Every pixel of every frame of the label's segment, by the frame's own place."""
    seg = pydicom.dcmread(path)
    (cosines,) = seg.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    along_row, along_column = np.array(cosines.ImageOrientationPatient).reshape(2, 3)
    (measures,) = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    rows_mm, columns_mm = measures.PixelSpacing
    found = []
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        if seg.SegmentSequence[number - 1].SegmentDescription == f"label {label}":
            corner = np.array(frame.PlanePositionSequence[0].ImagePositionPatient)
            for row, column in np.argwhere(pixels):
                step = along_row * columns_mm * column + along_column * rows_mm * row
                found.append(LPS_RAS * (corner + step))
    return np.array(found)


def of_structures(path, label):
    """The places of the series' pixels that contours enclose."""
    structures = pydicom.dcmread(path)
    number = [roi.ROIDescription for roi in structures.StructureSetROISequence].index(
        f"label {label}"
    )
    rows, columns = np.indices((series.ROWS, series.COLUMNS)).reshape(2, -1)
    found = []
    for contour in structures.ROIContourSequence[number].ContourSequence:
        points = np.array(contour.ContourData, float).reshape(-1, 3) - series.ORIGIN_LPS
        line = np.column_stack(
            [
                points @ series.ALONG_ROW / series.SPACING_MM[0],
                points @ series.ALONG_COLUMN / series.SPACING_MM[1],
            ]
        )
        slice_number = round(points[0] @ series.NORMAL / series.SPACING_MM[2])
        inside = Outline(line).contains_points(np.column_stack([columns, rows]))
        for column, row in zip(columns[inside], rows[inside], strict=True):
            found.append(LPS_RAS * series.place_lps(column, row, slice_number))
    return np.array(found)


VOXELS = {
    ".nii": voxels_of(read_nifti),
    ".nii.gz": voxels_of(read_nifti),
    ".nrrd": voxels_of(read_itk),
    ".seg.nrrd": voxels_of(read_itk),
    ".mha": voxels_of(read_itk),
    ".dcm": of_segmentation,
    ".rtstruct.dcm": of_structures,
}


def check_surfaces(written, labels, places):
    """A surface has its label's centre, reaches as far, and has the label's volume."""
    import trimesh

    for label, name in NAMES.items():
        file = next((path for path in written if name in path.name), written[0])
        loaded = trimesh.load_scene(file)
        mesh = loaded.geometry[name if name in loaded.geometry else next(iter(loaded.geometry))]
        mesh.merge_vertices()
        centres = places[labels == label]
        steps = (places[1, 0, 0], places[0, 1, 0], places[0, 0, 1])
        cell = np.column_stack(steps) - places[0, 0, 0][:, None]
        assert mesh.volume == pytest.approx(len(centres) * abs(np.linalg.det(cell)), rel=0.02)
        np.testing.assert_allclose(mesh.center_mass, centres.mean(axis=0), atol=0.15)
        reach = np.linalg.norm(cell, axis=0).max()
        np.testing.assert_allclose(
            mesh.bounds, [centres.min(axis=0), centres.max(axis=0)], atol=reach
        )


@pytest.mark.parametrize(("form", "suffix"), CASES)
def test_labels_stay_on_their_voxels_and_millimetres(form, suffix, tmp_path):
    known = OUTPUTS[suffix]
    if known.extra:
        pytest.importorskip(known.extra.module, reason=f"voxtrail[{known.extra.name}]")
    path, places = made(form, tmp_path)
    scan = vio.read(path)
    np.testing.assert_array_equal(scan.to_stored(), HU)
    labels = drawn(places)
    assert {3, 300} <= set(np.unique(labels))
    canonical = scan.stored.orientation().to_canonical(labels)
    result = LabelMap(canonical, scan.stored, NAMES, scan.provenance)
    written = vio.write(result, tmp_path / f"out{suffix}")
    if suffix in VOXELS:
        for label in NAMES:
            found = VOXELS[suffix](written[0], label)
            expected = places[labels == label]
            assert len(found) == len(expected)
            gaps = np.linalg.norm(found[:, None] - expected[None], axis=-1).min(axis=1)
            assert gaps.max() < 1e-3
    else:
        check_surfaces(written, labels, places)
    if suffix_of(written[0], tuple(VOLUMES)):
        read = vio.read_labels(written[0])
        assert read.stored.same_as(scan.stored)
        np.testing.assert_array_equal(read.to_stored(), labels)
