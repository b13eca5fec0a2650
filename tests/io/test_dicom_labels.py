"""Labels as DICOM, read back: ours to the voxel, those of other writers by the same rules."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pack_bits
from pydicom.uid import RLELossless

import voxtrail.io as vio
from tests.io import series
from tests.io.test_rtstruct import source
from tests.scans import reorder
from voxtrail.core.axis import Axis
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import GridError, ImageError, OptionError
from voxtrail.io.dicom import pixels

NAMES = {2: "rib_left_3", 300: "drawn by hand: Größe", 7: "vertebrae_L1"}


def labelled(scan) -> LabelMap:
    """Three structures on stored slices 1 to 4 of 6, one of them with a hole and of two parts."""
    voxels = np.zeros(scan.stored.shape, np.uint16)
    voxels[2:7, 3:8, 1:3] = 2
    voxels[4, 5, 1] = 0
    voxels[6:9, 2:4, 4] = 7
    voxels[9, 5, 2:5] = 300
    voxels[0, 0, 1] = 7
    return LabelMap.from_stored(voxels, scan.stored.affine, NAMES, scan.provenance)


@pytest.mark.parametrize("form", ["classic", "enhanced", "zip", "two objects", "off place"])
@pytest.mark.parametrize("suffix", [".dcm", ".rtstruct.dcm"])
def test_our_own_come_back_to_the_voxel_on_the_scan(form, suffix, tmp_path):
    if suffix == ".dcm":
        pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
        if form == "two objects":
            pytest.skip("a DICOM Segmentation refers to one multi-frame object")
    scan = vio.read(source(form, tmp_path))
    labels = labelled(scan)
    vio.write(labels, tmp_path / f"bones{suffix}")
    read = vio.read_labels(tmp_path / f"bones{suffix}", like=scan)
    assert read.stored.same_as(scan.stored)
    np.testing.assert_array_equal(read.to_stored(), labels.to_stored())
    assert read.names == NAMES


def test_on_a_scan_that_is_stored_in_any_order(order, tmp_path):
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    scan = vio.read(source("classic", tmp_path))
    labels = labelled(scan)
    voxels, affine = reorder(labels.to_stored(), scan.stored.affine, order)
    other = Volume.from_stored(np.zeros(voxels.shape, np.int16), affine)
    for suffix in (".dcm", ".rtstruct.dcm"):
        vio.write(labels, tmp_path / f"bones{suffix}")
        read = vio.read_labels(tmp_path / f"bones{suffix}", like=other)
        np.testing.assert_array_equal(read.to_stored(), voxels)
        np.testing.assert_allclose(read.stored.affine, affine, atol=1e-6)


def test_without_the_scan_a_segmentation_runs_from_its_lowest_frame_to_its_highest(tmp_path):
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    scan = vio.read(source("classic", tmp_path))
    labels = labelled(scan)
    vio.write(labels, tmp_path / "bones.dcm")
    shutil.copyfile(tmp_path / "bones.dcm", tmp_path / "IM0001")  # names say nothing
    with zipfile.ZipFile(tmp_path / "bones.zip", "w") as archive:
        archive.write(tmp_path / "bones.dcm", "inside/x")
    for name in ("bones.dcm", "IM0001", "bones.zip"):
        read = vio.read_labels(tmp_path / name)
        assert read.stored.shape == (series.COLUMNS, series.ROWS, 4)
        np.testing.assert_array_equal(read.to_stored(), labels.to_stored()[:, :, 1:5])
        corner = scan.stored.affine @ [0, 0, 1, 1]
        np.testing.assert_allclose(read.stored.affine[:, 3], corner, atol=1e-6)
        np.testing.assert_allclose(
            read.stored.affine[:3, :3], scan.stored.affine[:3, :3], atol=1e-8
        )


def test_prompts_may_be_dicom(tmp_path):
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    scan = vio.read(source("classic", tmp_path))
    labels = labelled(scan)
    expected = vio.read_prompts(nifti_of(labels, tmp_path), like=scan)
    for suffix in (".dcm", ".rtstruct.dcm"):
        vio.write(labels, tmp_path / f"bones{suffix}")
        prompts = vio.read_prompts(tmp_path / f"bones{suffix}", like=scan)
        assert prompts.names == NAMES
        for ours, theirs in zip(prompts.prompts, expected.prompts, strict=True):
            assert (ours.label, ours.slice_index) == (theirs.label, theirs.slice_index)
            np.testing.assert_array_equal(ours.mask, theirs.mask)
    away = Volume.from_stored(scan.to_stored(), scan.stored.affine @ np.diag([1.1, 1, 1, 1]))
    with pytest.raises(GridError):
        vio.read_prompts(tmp_path / "bones.dcm", like=away)


def nifti_of(labels, folder):
    vio.write(labels, folder / "drawn.nii.gz")
    return folder / "drawn.nii.gz"


def segmentation(frames, *, kind="BINARY", spacing=series.SPACING_MM[2], **elements) -> Dataset:
    """A segmentation by hand; each frame is (segment, slice, mask of rows and columns)."""
    one = series.enhanced([number % series.SLICES for number in range(len(frames))])
    one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    one.Modality, one.SegmentationType = "SEG", kind
    pixels = np.array([mask for _, _, mask in frames], np.uint8)
    if kind == "BINARY":
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 1, 1, 0, 0
        one.PixelData = pack_bits(pixels.ravel())
    else:
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 8, 8, 7, 0
        one.PixelData = pixels.tobytes()
    one.Rows, one.Columns = pixels.shape[1:]
    shared = one.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    if spacing is not None:
        shared.SpacingBetweenSlices = spacing
    for group, (segment, number, _) in zip(
        one.PerFrameFunctionalGroupsSequence, frames, strict=True
    ):
        place = [round(mm, 6) for mm in series.place_lps(0, 0, number)]
        group.PlanePositionSequence[0].ImagePositionPatient = place
        if segment is not None:
            group.SegmentIdentificationSequence = [Dataset()]
            group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = segment
    one.SegmentSequence = []
    for number in (1, 2):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel = number, f"part {number}"
        one.SegmentSequence.append(segment)
    for name, value in elements.items():
        setattr(one, name, value)
    return one


def kept(one: Dataset, folder):
    one.save_as(folder / "seg.dcm", enforce_file_format=True)
    return folder / "seg.dcm"


def mask(*places, shape=(5, 7), value=1) -> np.ndarray:
    drawn = np.zeros(shape, np.uint8)
    for row, column in places:
        drawn[row, column] = value
    return drawn


def test_frames_of_bits_that_end_within_a_byte_in_any_order(tmp_path):
    frames = [(1, 3, mask((1, 2))), (2, 0, mask((4, 6))), (2, 3, mask((1, 3), (0, 0)))]
    read = vio.read_labels(kept(segmentation(frames), tmp_path))
    assert read.stored.shape == (7, 5, 4)
    expected = np.zeros((7, 5, 4))
    expected[2, 1, 3], expected[6, 4, 0], expected[3, 1, 3], expected[0, 0, 3] = 1, 2, 2, 2
    np.testing.assert_array_equal(read.to_stored(), expected)
    assert read.names == {1: "part 1", 2: "part 2"}


@pytest.mark.parametrize("undefined", [False, True])
def test_frames_by_the_thousand_are_read_one_at_a_time(undefined, tmp_path, monkeypatch):
    """Far more elements than may be held at once, and pixels of what is asked for alone."""
    places = [(row, column) for row in range(5) for column in range(7)]
    frames = [(1 + n % 2, n // 2, mask(places[n % 35])) for n in range(600)]
    one = segmentation(frames)
    if undefined:
        sequences_of_undefined_length(one)
    path = kept(one, tmp_path)
    monkeypatch.setattr("voxtrail.io.dicom.element_budget.MAX_ELEMENTS", 400)
    read = vio.read_labels(path)
    assert read.stored.shape == (7, 5, 300)
    stored = read.to_stored()
    for n in range(600):
        row, column = places[n % 35]
        assert stored[column, row, n // 2] == 1 + n % 2
    looked_at = []
    frames_at = pixels.frames_at
    monkeypatch.setattr(
        "voxtrail.io.dicom.seg_reader.frames_at",
        lambda source, numbers: looked_at.extend(numbers) or frames_at(source, numbers),
    )
    vio.read_labels(path, structures=["part 2"])
    assert looked_at == list(range(1, 600, 2))


def sequences_of_undefined_length(one):
    """As DCMTK writes them, and dcmqi with it."""
    for element in one:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                sequences_of_undefined_length(item)


def test_contours_by_the_thousand_are_read_one_structure_at_a_time(tmp_path, monkeypatch):
    scan = vio.read(source("classic", tmp_path))
    lines = [box(x, y, x + 1, y + 1, n) for n in range(6) for x in (0.5, 4.5) for y in (0.5, 4.5)]
    path = structures(scan, tmp_path, [lines, lines, lines])
    every = vio.read_labels(path, like=scan)
    # Of one structure of 24 contours there are fewer elements, of three there are more.
    monkeypatch.setattr("voxtrail.io.dicom.element_budget.MAX_ELEMENTS", 260)
    again = vio.read_labels(path, like=scan)
    for label in (1, 2, 3):
        assert np.count_nonzero(every.mask(label)) == 24
        np.testing.assert_array_equal(again.mask(label), every.mask(label))


@pytest.mark.parametrize("packed", [False, True])
def test_a_label_map_and_whole_fractions(packed, tmp_path):
    drawn = mask((1, 2)) + mask((4, 6), value=2)
    cases = {
        "LABELMAP": [(None, 1, drawn), (None, 2, drawn)],
        "FRACTIONAL": [
            (1, 1, mask((1, 2), value=9)), (2, 1, mask((4, 6), value=9)),
            (1, 2, mask((1, 2), value=9)), (2, 2, mask((4, 6), value=9)),
        ],
    }  # fmt: skip
    for kind, frames in cases.items():
        one = segmentation(frames, kind=kind, MaximumFractionalValue=9)
        if kind == "LABELMAP":
            one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.7"
            one.PhotometricInterpretation = "PALETTE COLOR"
        if packed:
            one.compress(RLELossless, generate_instance_uid=False)
        read = vio.read_labels(kept(one, tmp_path))
        np.testing.assert_array_equal(read.to_stored(), np.stack([drawn.T] * 2, axis=-1))


def test_sparse_frames_of_unknown_spacing_lie_on_the_scans_slices(tmp_path):
    frames = [(1, number, mask((1, 2), shape=(10, 12))) for number in (0, 5, 2)]
    scan = vio.read(source("classic", tmp_path))
    frame = scan.provenance.frame_of_reference
    path = kept(segmentation(frames, spacing=None, FrameOfReferenceUID=frame), tmp_path)
    with pytest.raises(ImageError, match=r"evenly spaced slices.*--like"):
        vio.read_labels(path)
    expected = np.zeros(scan.stored.shape)
    expected[2, 1, [0, 2, 5]] = 1
    np.testing.assert_array_equal(vio.read_labels(path, like=scan).to_stored(), expected)


def fractions(frame):
    return segmentation([frame, frame], kind="FRACTIONAL", MaximumFractionalValue=255)


REFUSED = {
    "fractions": (lambda: fractions((1, 0, mask((1, 2), value=90))), "fractions.*90 of 255"),
    "unknown segment": (
        lambda: segmentation([(3, 0, mask((1, 2))), (1, 1, mask())]), "does not describe.*segment 3"
    ),
    "off its slice": (
        lambda: segmentation([(1, 0, mask()), (1, 1.3, mask()), (1, 2, mask())]),
        r"evenly spaced slices.*frame 2 is 0\.75 mm off",
    ),
    "one plane": (lambda: segmentation([(1, 0, mask())], spacing=None), "how far slices are apart"),
    "slices by the million": (
        lambda: segmentation([(1, 0, mask()), (1, 4e9, mask())]), "too large|fit into memory"
    ),
    "numbers": (lambda: segmentation([(1, 0, mask())], SegmentSequence=twice()), "no numbers"),
    "a scan": (lambda: series.classic()[0], "not one DICOM object with labels.*modality CT"),
}  # fmt: skip


def twice():
    one = Dataset()
    one.SegmentNumber = 1
    return [one, one]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_label_map_is_refused_in_one_line(case, tmp_path):
    made, words = REFUSED[case]
    with pytest.raises(ImageError, match=words) as caught:
        vio.read_labels(kept(made(), tmp_path))
    assert "\n" not in str(caught.value)
    assert not any(secret in str(caught.value) for secret in series.SECRET)


def structures(scan, tmp_path, contours, kind="CLOSED_PLANAR", description=""):
    """A structure set with one structure a list of contours, each (n, 3) stored voxel indices."""
    vio.write(labelled(scan), tmp_path / "seed.rtstruct.dcm", force=True)
    one = pydicom.dcmread(tmp_path / "seed.rtstruct.dcm")
    for roi, drawn, lines in zip(
        one.StructureSetROISequence, one.ROIContourSequence, contours, strict=False
    ):
        roi.ROIDescription = description
        drawn.ContourSequence = []
        for line in lines:
            ras = np.column_stack([line, np.ones(len(line))]) @ scan.stored.affine.T
            item = Dataset()
            item.ContourGeometricType = kind
            item.NumberOfContourPoints = len(line)
            item.ContourData = [f"{mm:.6f}" for mm in (ras[:, :3] * [-1, -1, 1]).ravel()]
            drawn.ContourSequence.append(item)
    del one.StructureSetROISequence[len(contours) :]
    del one.ROIContourSequence[len(contours) :]
    one.save_as(tmp_path / "drawn.dcm")
    return tmp_path / "drawn.dcm"


def box(left, upper, right, lower, number):
    """A square through the middles between voxels."""
    return np.array([[x, y, number] for x, y in ((left, upper), (right, upper), (right, lower), (left, lower))])  # fmt: skip  # noqa: E501


def test_contours_of_others_are_filled_with_holes_and_islands(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    nested = [box(0.5, 0.5, 8.5, 8.5, 2), box(2.5, 2.5, 6.5, 6.5, 2), box(3.5, 3.5, 4.5, 4.5, 2)]
    path = structures(scan, tmp_path, [nested, [box(-0.5, -0.5, 11.5, 9.5, 5.02)]])
    read = vio.read_labels(path, like=scan)
    expected = np.zeros(scan.stored.shape)
    expected[1:9, 1:9, 2] = 1
    expected[3:7, 3:7, 2] = 0
    expected[4, 4, 2] = 1
    expected[:, :, 5] = 2
    np.testing.assert_array_equal(read.to_stored(), expected)
    assert read.names == {1: "rib_left_3", 2: "vertebrae_L1"}


@pytest.mark.parametrize("kind", ["OPEN_PLANAR", ""])
def test_contours_that_are_not_closed_are_refused_with_their_structure(kind, tmp_path):
    scan = vio.read(source("classic", tmp_path))
    path = structures(scan, tmp_path, [[box(1, 1, 4, 4, 2)], [box(5, 5, 8, 8, 2)]])
    one = pydicom.dcmread(path)
    one.ROIContourSequence[1].ContourSequence[0].ContourGeometricType = kind
    one.save_as(path)
    words = f"vertebrae_L1 are not closed.*received: {kind or 'of no type'}.*here rib_left_3;"
    with pytest.raises(ImageError, match=rf"{words}.*--structures"):
        vio.read_labels(path, like=scan)
    assert vio.read_labels(path, like=scan, structures=["rib_left_3"]).labels() == (1,)


def around(scan, tmp_path):
    """A body's outline around a rib's and beside a vertebra's that only touches it."""
    body, rib, apart = box(-0.5, -0.5, 9.5, 9.5, 2), box(2.5, 2.5, 6.5, 6.5, 2), box(0, 0, 3, 3, 4)
    return structures(scan, tmp_path, [[body], [rib], [apart]])


def test_structures_that_overlap_are_labels_each_and_chosen_by_name(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    path = around(scan, tmp_path)
    called = {roi.ROINumber: roi.ROIName for roi in pydicom.dcmread(path).StructureSetROISequence}
    body, rib, third = called.values()
    both = vio.read_labels(path, like=scan)
    assert (both.labels(), len(both.further)) == ((1, 2, 3), 1)
    for label, name in enumerate((body, rib, third), 1):
        alone = vio.read_labels(path, like=scan, structures=[name])
        np.testing.assert_array_equal(both.mask(label), alone.mask(label))
        assert not alone.further
    read = vio.read_labels(path, like=scan, structures=[third, rib])
    assert (read.labels(), read.names) == ((2, 3), {2: rib, 3: third})
    assert vio.read_prompts(path, scan, [body], [Axis.AXIAL]).names == {1: body}
    with pytest.raises(OptionError, match="no structure of this name; received: Liver; accepted"):
        vio.read_labels(path, like=scan, structures=[rib, "Liver"])


def test_segments_that_overlap_are_labels_each(tmp_path):
    frames = [(1, 0, mask((1, 2), (2, 2))), (2, 0, mask((1, 2))), (1, 1, mask((4, 4)))]
    both = vio.read_labels(kept(segmentation(frames), tmp_path))
    assert (both.labels(), len(both.further)) == ((1, 2), 1)
    stored = both.stored.orientation().to_stored
    np.testing.assert_array_equal(stored(both.mask(1))[..., 0].T, mask((1, 2), (2, 2)))
    np.testing.assert_array_equal(stored(both.mask(1))[..., 1].T, mask((4, 4)))
    np.testing.assert_array_equal(stored(both.mask(2))[..., 0].T, mask((1, 2)))


def test_structures_are_chosen_by_name_from_a_segmentation(tmp_path):
    overlapping = [
        (1, 0, mask((1, 2), (2, 2))), (2, 0, mask((1, 2))), (1, 1, mask()), (1, 3, mask((4, 4))),
    ]  # fmt: skip
    path = kept(segmentation(overlapping), tmp_path)
    read = vio.read_labels(path, structures=["part 2"])
    assert (read.labels(), read.names, read.stored.shape[2]) == ((2,), {2: "part 2"}, 4)
    drawn = mask((1, 2)) + mask((4, 6), value=2)
    path = kept(segmentation([(None, 1, drawn), (None, 2, drawn)], kind="LABELMAP"), tmp_path)
    read = vio.read_labels(path, structures=["part 2"])
    np.testing.assert_array_equal(read.to_stored()[..., 0].T, drawn // 2 * 2)


def test_fractions_of_a_structure_that_is_not_chosen_do_not_matter(tmp_path):
    frames = [(1, 0, mask((1, 2), value=90)), (2, 1, mask((1, 2), value=255))]
    one = segmentation(frames, kind="FRACTIONAL", MaximumFractionalValue=255)
    assert vio.read_labels(kept(one, tmp_path), structures=["part 2"]).labels() == (2,)


@pytest.mark.parametrize("suffix", [".dcm", ".rtstruct.dcm"])
def test_labels_of_another_frame_of_reference_than_the_scans_are_refused(suffix, tmp_path):
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    scan = vio.read(source("classic", tmp_path))
    vio.write(labelled(scan), tmp_path / f"bones{suffix}")
    theirs = scan.provenance.frame_of_reference
    for frames in ({"1.2.3"}, {""}, {"1.2.3", "1.2.4"}):
        for number, path in enumerate(sorted((tmp_path / "ct").iterdir())):
            one = pydicom.dcmread(path)
            one.FrameOfReferenceUID = sorted(frames)[number % len(frames)]
            one.save_as(path)
        other = vio.read(tmp_path / "ct")
        if frames == {"1.2.3"}:
            words = rf"another frame of reference.*received: {theirs} \(.*accepted: 1\.2\.3; pass"
            with pytest.raises(ImageError, match=words):
                vio.read_prompts(tmp_path / f"bones{suffix}", like=other)
        else:  # one of the two has none, or none that is known
            assert vio.read_labels(tmp_path / f"bones{suffix}", like=other).labels()
    as_nifti = Volume.from_stored(scan.to_stored(), scan.stored.affine)
    assert vio.read_labels(tmp_path / f"bones{suffix}", like=as_nifti).labels()


@pytest.mark.parametrize(
    ("contours", "words"),
    [
        (
            [[box(0, 0, 3, 3, 2.47)]],
            r"rib.* on no slice.*a contour 0\.47 slices off slice 2 of axis",
        ),
        # Drawn on slices of half the thickness; taken together they would be holes of each other.
        (
            [[box(0, 0, 3, 3, 2.2), box(0, 0, 3, 3, 1.7)]],
            r"on no slice.*contours 0\.5 slices apart on slice 2 of axis 2.*--structures",
        ),
        (
            [[np.array([(0, 0, 2), (3, 0, 2.2), (3, 3, 2.4), (0, 3, 2.2)])]],
            r"on no slice.*a contour that runs through 0\.4 slices",
        ),
        ([[box(0, 0, 3, 3, 6)]], "no contour lies on a slice of the scan"),
    ],
)
def test_contours_that_are_on_no_slice_are_refused(contours, words, tmp_path):
    scan = vio.read(source("classic", tmp_path))
    with pytest.raises(ImageError, match=words):
        vio.read_labels(structures(scan, tmp_path, contours), like=scan)


@pytest.mark.parametrize("off", [-0.4, -0.08, 0.003, 0.3])
def test_contours_off_their_slices_are_put_on_the_nearest_and_that_is_said(off, tmp_path):
    """Slices are 2.5 mm apart; planning systems round, and put contours off on purpose too."""
    scan = vio.read(source("classic", tmp_path))
    lines = [box(0.5, 0.5, 6.5, 6.5, number) for number in (0, 2, 3)]
    at = vio.read_labels(structures(scan, tmp_path, [lines]), like=scan)
    assert at.notes == ()
    lines = [*(line + np.array([0, 0, off]) for line in lines[:2]), *lines[2:]]
    read = vio.read_labels(structures(scan, tmp_path, [lines]), like=scan)
    np.testing.assert_array_equal(read.voxels, at.voxels)
    assert read.notes == (
        f"contours lie up to {abs(off) * 2.5:.2g} mm ({abs(off):.2g} of the way to the next) off "
        "the scan's slices, and were put on the nearest",
    )


def test_copies_of_contours_are_no_holes_and_what_encloses_nothing_is_said(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    line, lone = box(0.5, 0.5, 6.5, 6.5, 1), np.array([(2, 2, 3), (3, 2, 3)])
    path = structures(scan, tmp_path, [[line, line, lone]])
    (name,) = [roi.ROIName for roi in pydicom.dcmread(path).StructureSetROISequence][:1]
    read = vio.read_labels(path, like=scan)
    assert np.count_nonzero(read.voxels) == 36
    assert read.notes == (
        f"{name}: 1 exact copies of contours were left out",
        f"{name}: on 1 slices no voxel's centre is within its contours",
    )


def test_what_leaves_the_scan_is_cut_off_and_said(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    columns, rows, slices = scan.stored.shape
    bone = [box(1.5, 1.5, 4.5, 4.5, 2)]
    couch = [box(-30, 4.5, 90, 40, number) for number in (1, 2)]
    external = [box(0.5, 0.5, 6.5, 6.5, number) for number in (-2, -1, 0, slices)]
    read = vio.read_labels(structures(scan, tmp_path, [bone, couch, external]), like=scan)
    stored = scan.stored.orientation().to_stored
    couch_there = np.zeros((columns, rows, slices), bool)
    couch_there[:, 5:, 1:3] = True
    np.testing.assert_array_equal(stored(read.mask(2)), couch_there)
    assert np.count_nonzero(read.mask(1)) == 9
    assert np.flatnonzero(stored(read.mask(3)).any(axis=(0, 1))).tolist() == [0]
    assert [note.rpartition(": ")[2] for note in read.notes] == [
        "2 contours leave the scan and were cut off there",
        "3 contours lie beyond the scan's slices and were left out",
    ]
    drawn = vio.read_prompts(tmp_path / "drawn.dcm", scan, planes=[Axis.AXIAL])
    assert set(read.notes) <= set(drawn.notes)


def test_contours_that_are_combined_have_their_holes(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    lines = [box(0.5, 0.5, 6.5, 6.5, 1), box(2.5, 2.5, 4.5, 4.5, 1)]
    path = structures(scan, tmp_path, [lines])
    drawn = pydicom.dcmread(path)
    for contour in drawn.ROIContourSequence[0].ContourSequence:
        contour.ContourGeometricType = "CLOSEDPLANAR_XOR"
    drawn.save_as(path)
    assert np.count_nonzero(vio.read_labels(path, like=scan).voxels) == 6 * 6 - 2 * 2


def test_a_point_has_no_inside_and_is_left_out(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    path = structures(scan, tmp_path, [[box(0.5, 0.5, 6.5, 6.5, 1)], [box(1, 1, 2, 2, 1)]])
    drawn = pydicom.dcmread(path)
    drawn.ROIContourSequence[1].ContourSequence[0].ContourGeometricType = "POINT"
    drawn.save_as(path)
    read = vio.read_labels(path, like=scan)
    assert read.labels() == (1,)
    assert "a point, which has no inside, was left out" in read.notes[0]
    name = drawn.StructureSetROISequence[1].ROIName
    with pytest.raises(ImageError, match="not closed"):
        vio.read_labels(path, like=scan, structures=[name])


def test_contours_without_a_scan_are_refused(tmp_path):
    scan = vio.read(source("classic", tmp_path))
    vio.write(labelled(scan), tmp_path / "bones.rtstruct.dcm")
    with pytest.raises(ImageError, match=r"no grid of voxels.*--like"):
        vio.read_labels(tmp_path / "bones.rtstruct.dcm")
    assert not vio.fills_grid(tmp_path / "bones.rtstruct.dcm")
    assert vio.fills_grid(nifti_of(labelled(scan), tmp_path))


def test_slices_that_lean_as_headers_round_come_back_to_the_voxel(tmp_path):
    """0.08 degrees, which `voxtrail.io.dicom.stack` lets pass."""
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    images = series.classic()
    for number, one in enumerate(images):
        place = series.place_lps(number * 0.005, 0, number)
        one.ImagePositionPatient = [float(f"{mm:.9f}") for mm in place]
    scan = vio.read(series.save(images, tmp_path / "ct"))
    labels = labelled(scan)
    for suffix in (".dcm", ".rtstruct.dcm"):
        vio.write(labels, tmp_path / f"bones{suffix}")
        read = vio.read_labels(tmp_path / f"bones{suffix}", like=scan)
        np.testing.assert_array_equal(read.to_stored(), labels.to_stored())


@pytest.mark.parametrize("kind", ["LABELMAP", "FRACTIONAL"])
@pytest.mark.parametrize("form", ["classic", "enhanced"])
def test_what_highdicom_writes_otherwise(kind, form, tmp_path):
    highdicom = pytest.importorskip("highdicom", reason="voxtrail[dicom] is not installed")
    scan = vio.read(source(form, tmp_path))
    labels = labelled(scan)
    vio.write(labels, tmp_path / "ours.dcm")
    ours = highdicom.seg.segread(tmp_path / "ours.dcm")
    planes = np.zeros(scan.stored.shape[::-1], np.uint8)
    for number, label in enumerate((2, 7, 300), 1):
        planes[labels.to_stored().transpose(2, 1, 0) == label] = number
    images = [pydicom.dcmread(one.path) for one in scan.provenance.slices]
    if form == "enhanced":
        images = images[:1]
        planes = planes[[2, 0, 5, 3, 1, 4]]  # as `series.enhanced` stores them
    highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=planes,
        segmentation_type=kind,
        segment_descriptions=list(ours.SegmentSequence),
        series_instance_uid="1.2.3",
        series_number=9,
        sop_instance_uid="1.2.3.4",
        instance_number=1,
        manufacturer="x",
        manufacturer_model_name="x",
        software_versions="1",
        device_serial_number="1",
        max_fractional_value=200,
    ).save_as(tmp_path / "theirs.dcm")
    read = vio.read_labels(tmp_path / "theirs.dcm", like=scan)
    np.testing.assert_array_equal(read.to_stored(), labels.to_stored())
    assert read.names == NAMES


def test_what_dcmqi_writes(tmp_path):
    tool = shutil.which("itkimage2segimage", path=Path(sys.executable).parent)
    if tool is None:
        pytest.skip("dcmqi is not installed")
    scan = vio.read(source("classic", tmp_path))
    labels = labelled(scan)
    vio.write(labels, tmp_path / "drawn.nrrd")
    code = {"CodeValue": "272673000", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Bone"}
    described = [
        {
            "labelID": label,
            "SegmentLabel": f"bone {label}",
            "SegmentDescription": "drawn",
            "SegmentAlgorithmType": "MANUAL",
            "SegmentedPropertyCategoryCodeSequence": code,
            "SegmentedPropertyTypeCodeSequence": code,
        }
        for label in (2, 7, 300)
    ]
    meta = {"SeriesDescription": "x", "SeriesNumber": "9", "segmentAttributes": [described]}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    done = subprocess.run(
        f"{tool} --inputDICOMDirectory ct --inputImageList drawn.nrrd --inputMetadata meta.json "
        "--outputDICOM seg.dcm".split(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "seg.dcm").exists(), done.stdout + done.stderr
    read = vio.read_labels(tmp_path / "seg.dcm", like=scan)
    numbers = {label: number for number, label in enumerate((2, 7, 300), 1)}
    expected = np.vectorize({0: 0, **numbers}.get)(labels.to_stored())
    np.testing.assert_array_equal(read.to_stored(), expected)
    assert read.names == {number: f"bone {label}" for label, number in numbers.items()}


def test_labels_of_the_real_series_come_back_to_the_voxel(real_ct, tmp_path):
    """31 structures of which many touch; the identifiers that were removed are put back."""
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    (tmp_path / "ct").mkdir()
    for number, path in enumerate((real_ct / "dicom_ct/example_ct_dicom").iterdir()):
        one = pydicom.dcmread(path)
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
        one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = "1.2", "1.3", "1.4"
        one.save_as(tmp_path / "ct" / path.name)
    scan = vio.read(tmp_path / "ct")
    expected = vio.read_labels(real_ct / "dicom_ct/example_seg_dicom.nii.gz")
    assert expected.grid.same_as(scan.grid)
    labels = LabelMap(expected.voxels, scan.stored, {}, scan.provenance)
    for suffix in (".dcm", ".rtstruct.dcm"):
        vio.write(labels, tmp_path / f"bones{suffix}")
        read = vio.read_labels(tmp_path / f"bones{suffix}", like=scan)
        np.testing.assert_array_equal(read.voxels, expected.voxels)
