"""A CT series as DICOM: in whatever form it comes, the same grid and the same Hounsfield units."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

import voxtrail.io as vio
from voxtrail.errors import ImageError, OptionError

# The scan below: 6 columns, 5 rows, 4 slices; oblique about the patient's left-right axis.
TURN = np.radians(30)
ALONG_ROW = np.array([1.0, 0, 0])
ALONG_COLUMN = np.array([0, np.cos(TURN), np.sin(TURN)])
NORMAL = np.array([0, -np.sin(TURN), np.cos(TURN)])
ORIGIN = np.array([-100.0, -80.0, 300.0])
ROWS_MM, COLUMNS_MM, SLICES_MM = 0.9, 0.7, 2.5

#: (slice, row, column) HU.
HU = np.random.default_rng(3).integers(-1000, 1500, (4, 5, 6)).astype(np.int16)

UID = "1.2.826.0.1.3680043.8.498.1"


def image(pixels, position, *, slope=1, intercept=-1024, uid=UID, **elements) -> Dataset:
    """One classic CT image whose stored values are (HU - intercept) / slope."""
    stored = np.rint((pixels - intercept) / slope)
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = CTImageStorage
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = generate_uid()
    one.SOPClassUID = CTImageStorage
    one.Modality, one.SeriesInstanceUID, one.SeriesNumber = "CT", uid, 2
    one.SeriesDescription = "Body"
    one.PatientName, one.PatientID = "Secret^Name", "S3CR3T"
    one.Rows, one.Columns = pixels.shape[-2:]
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
    signed = bool((stored < 0).any())
    one.PixelRepresentation = int(signed)
    one.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    one.ImagePositionPatient = [round(float(mm), 6) for mm in position]
    one.ImageOrientationPatient = [round(float(v), 8) for v in (*ALONG_ROW, *ALONG_COLUMN)]
    one.PixelSpacing = [ROWS_MM, COLUMNS_MM]
    one.RescaleSlope, one.RescaleIntercept = slope, intercept
    for name, value in elements.items():
        setattr(one, name, value)
    return one


def place(number: float) -> np.ndarray:
    return ORIGIN + number * SLICES_MM * NORMAL


def series(numbers=range(4), **elements) -> list[Dataset]:
    return [image(HU[n % 4], place(n), InstanceNumber=99 - n, **elements) for n in numbers]


def save(images, folder: Path, suffix=".dcm", **options) -> Path:
    """Write images under names whose order is not theirs in space."""
    folder.mkdir(exist_ok=True)
    for n, one in enumerate(images):
        name = f"{(n * 3 + 1) % 4}-{n}-{len(list(folder.iterdir()))}{suffix}"
        one.save_as(folder / name, enforce_file_format=not options, **options)
    return folder


def check(read) -> None:
    """Compare with the scan, every voxel at the millimetres that the headers gave."""
    np.testing.assert_array_equal(read.to_stored(), HU.transpose(2, 1, 0))
    assert read.voxels.dtype == np.int16
    # Worked by hand: column 2, row 3, slice 1 in LPS, then left-right and front-back turned.
    lps = ORIGIN + 2 * COLUMNS_MM * ALONG_ROW + 3 * ROWS_MM * ALONG_COLUMN + SLICES_MM * NORMAL
    ras = (read.stored.affine @ [2, 3, 1, 1])[:3]
    np.testing.assert_allclose(ras, lps * [-1, -1, 1], atol=1e-5)


def test_slices_are_sorted_by_position_whatever_their_names_and_numbers(tmp_path):
    check(vio.read(save(series(), tmp_path)))


def test_the_files_of_the_slices_are_kept_in_their_order(tmp_path):
    paths = save(series(), tmp_path / "scan")
    read = vio.read(paths)
    assert read.provenance.notes == ()
    for number, one in enumerate(read.provenance.slices):
        position = pydicom.dcmread(one.path).ImagePositionPatient
        np.testing.assert_allclose(position, place(number), atol=1e-5)
        assert (one.member, one.frame) == (None, 0)


def test_a_list_of_files_and_a_zip_are_read_as_the_folder(tmp_path):
    folder = save(series(), tmp_path / "scan")
    check(vio.read(sorted(folder.iterdir())))
    with zipfile.ZipFile(tmp_path / "scan.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number, path in enumerate(folder.iterdir()):
            archive.write(path, f"../../../{number}/{path.name}")  # leads nowhere
        archive.writestr("readme.txt", "no image")
    check(vio.read(tmp_path / "scan.zip"))


def test_other_files_and_overview_images_are_passed_over(tmp_path):
    folder = save(series(), tmp_path)
    (folder / "notes.txt").write_text("no image")
    (folder / "empty").touch()
    save(
        [image(HU[0], ORIGIN, uid=UID + ".9", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])],
        folder,
    )
    page = image(HU[0], ORIGIN, uid=UID + ".8", SOPClassUID=SecondaryCaptureImageStorage)
    del page.ImagePositionPatient, page.ImageOrientationPatient
    save([page], folder)
    report = Dataset()
    report.Modality = "SR"
    report.save_as(folder / "report", implicit_vr=True, little_endian=True)
    read = vio.read(folder)
    check(read)
    assert read.provenance.notes == (
        "left out: 3 DICOM objects that are no CT slices (overview images, reports)",
    )


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, RLELossless])
def test_compressed_series(syntax, tmp_path):
    large = np.kron(HU, np.ones((1, 8, 8)))  # the encoder of JPEG 2000 takes no fewer than 32 rows
    images = [image(large[n], place(n)) for n in range(4)]
    plain = vio.read(save(images, tmp_path / "plain"))
    for one in images:
        one.compress(syntax, generate_instance_uid=False)
    packed = vio.read(save(images, tmp_path / "packed"))
    np.testing.assert_array_equal(packed.to_stored(), large.transpose(2, 1, 0))
    np.testing.assert_array_equal(packed.stored.affine, plain.stored.affine)


def test_jpeg_ls(tmp_path):
    # 6 columns, 5 rows of 37 n modulo 997, coded by CharLS (pyjpegls 1.5).
    stream = bytes.fromhex(
        "ffd8fff7000b0a0005000601011100ffda0008010100000000832190c93928000000e068a098903400000038"
        "4440f9e140ba74e1b34266e193012420ffd9"
    )
    images = series()
    for one in images:
        one.BitsStored, one.HighBit = 10, 9
        one.PixelData = pydicom.encaps.encapsulate([stream])
        one["PixelData"].VR = "OB"
        one.file_meta.TransferSyntaxUID = JPEGLSLossless
    read = vio.read(save(images, tmp_path))
    expected = np.arange(30).reshape(5, 6) * 37 % 997 - 1024
    for number in range(4):
        np.testing.assert_array_equal(read.to_stored()[:, :, number].T, expected)


@pytest.mark.parametrize("implicit", [True, False])
def test_files_without_suffix_preamble_and_uids(implicit, tmp_path):
    images = series(uid="", SOPInstanceUID="", SOPClassUID="")
    for one in images:
        one.file_meta = FileMetaDataset()
    check(vio.read(save(images, tmp_path, suffix="", implicit_vr=implicit, little_endian=True)))


def test_rescaling_slice_by_slice(tmp_path):
    images = [
        image(HU[n], place(n), intercept=intercept)
        for n, intercept in enumerate((-1024, 0, -1000, -8192))
    ]
    assert {one.PixelRepresentation for one in images} == {0, 1}
    check(vio.read(save(images, tmp_path)))


def test_a_fractional_slope_gives_float32(tmp_path):
    images = [image(HU[n], place(n), slope=0.5 if n else 0.25) for n in range(4)]
    read = vio.read(save(images, tmp_path))
    assert read.voxels.dtype == np.float32
    np.testing.assert_array_equal(read.to_stored(), HU.transpose(2, 1, 0))


def test_monochrome1_changes_the_display_and_not_the_hounsfield_units(tmp_path):
    check(vio.read(save(series(PhotometricInterpretation="MONOCHROME1"), tmp_path)))


def test_values_beyond_16_bits_are_kept(tmp_path):
    images = [image(HU[n], place(n)) for n in range(4)]
    images[0].PixelData = np.full((5, 6), 65535, "<u2").tobytes()
    read = vio.read(save(images, tmp_path))
    assert read.voxels.dtype == np.int32
    assert read.voxels.max() == 65535 - 1024


def test_exact_copies_are_dropped(tmp_path):
    read = vio.read(save([*series(), *series((1, 3))], tmp_path))
    check(read)
    assert read.provenance.notes == ("left out: 2 exact copies of slices",)


def test_copies_that_are_packed_or_scaled_otherwise_are_dropped_too(tmp_path):
    packed = series((1,))
    packed[0].compress(RLELossless, generate_instance_uid=False)
    read = vio.read(save([*series(), *packed, *series((3,), intercept=0)], tmp_path))
    check(read)
    assert read.provenance.notes == ("left out: 2 exact copies of slices",)


def moved(mm):
    """The series with slice 2 off its place along the normal."""
    images = series()
    images[2].ImagePositionPatient = [float(v) for v in place(2) + mm * NORMAL]
    return images


def leaning():
    return [image(HU[n], place(n) + np.array([n * 0.003, 0, 0])) for n in range(4)]


def differing():
    images = [image(np.kron(HU[n], np.ones((9, 9))), place(n)) for n in (0, 1, 2, 3, 3)]
    images[1].PixelSpacing = [ROWS_MM * 1.00005, COLUMNS_MM]
    return images


def longer():
    """Directions as some scanners round them, to three digits."""
    cosines = [round(float(v), 3) for v in (*ALONG_ROW, *ALONG_COLUMN)]
    return [
        image(np.kron(HU[n], np.ones((9, 9))), place(n), ImageOrientationPatient=cosines)
        for n in range(4)
    ]


NOTED = {
    "off place": (lambda: moved(0.03), ["placed evenly: 1 of 4 slices.* 0.03 mm off.* 2.5 mm"]),
    "rounded": (lambda: moved(0.001), []),
    "lean": (leaning, ["leans by 0.0688 degrees"]),
    "differing": (differing, ["1 exact copies", r"from the lowest slice.*up to 0\.01%"]),
    "skewed": (longer, ["miss unit length or right angle by 2.2e-05"]),
}


@pytest.mark.parametrize("case", NOTED)
def test_what_is_let_pass_is_noted_with_the_numbers(case, tmp_path):
    images, words = NOTED[case]
    notes = vio.read(save(images(), tmp_path)).provenance.notes
    assert len(notes) == len(words)
    for note, word in zip(notes, words, strict=True):
        assert re.search(word, note)


def enhanced(numbers=(2, 0, 3, 1)) -> Dataset:
    """All slices in one object, out of order, the intercept of each its own."""
    one = image(HU[list(numbers)], ORIGIN, intercept=-1024)
    one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    one.NumberOfFrames = len(numbers)
    for element in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(one, element)
    del one.RescaleSlope, one.RescaleIntercept

    def group(sequence, **elements):
        item, groups = Dataset(), Dataset()
        for name, value in elements.items():
            setattr(item, name, value)
        setattr(groups, sequence, [item])
        return groups

    shared = group("PixelMeasuresSequence", PixelSpacing=[ROWS_MM, COLUMNS_MM])
    cosines = [round(float(v), 8) for v in (*ALONG_ROW, *ALONG_COLUMN)]
    shared.update(group("PlaneOrientationSequence", ImageOrientationPatient=cosines))
    one.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for number in numbers:
        position = [round(float(mm), 6) for mm in place(number)]
        frame = group("PlanePositionSequence", ImagePositionPatient=position)
        rescale = {"RescaleSlope": 1, "RescaleIntercept": -1024}
        frame.update(group("PixelValueTransformationSequence", **rescale))
        frames.append(frame)
    one.PerFrameFunctionalGroupsSequence = frames
    return one


def test_an_enhanced_multi_frame_object(tmp_path):
    folder = save([enhanced()], tmp_path)
    check(vio.read(folder))
    check(vio.read(next(folder.iterdir())))


def test_several_series_are_listed_and_one_is_chosen(tmp_path):
    save(series(), tmp_path)
    save(series((0, 1, 2), uid=UID + ".7", SeriesNumber=7, SeriesDescription="Lung"), tmp_path)
    with pytest.raises(ImageError) as caught:
        vio.read(tmp_path)
    message = str(caught.value)
    assert "#1 (number 2, 'Body', 4 slices of 6 x 5" in message
    assert f"#2 (number 7, 'Lung', 3 slices of 6 x 5, UID {UID}.7)" in message
    assert "--series" in message
    assert "Secret" not in message
    for name in (UID, "2", "#1"):
        check(vio.read(tmp_path, series=name))
    assert vio.read(tmp_path, series="#2").stored.shape == (6, 5, 3)
    with pytest.raises(OptionError, match=r"0 series.*received: 5.*#1"):
        vio.read(tmp_path, series="5")


def test_a_series_is_chosen_of_dicom_only(nifti):
    with pytest.raises(OptionError, match="no series"):
        vio.read(nifti(np.zeros((3, 4, 5), np.int16)), series="1")


def tilted():
    return [image(HU[n], place(n) + np.array([0, n * 0.5, 0])) for n in range(4)]


def turned():
    return [*series((0, 1, 2)), image(HU[3], place(3), ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]


def larger():
    return [*series((0, 1, 2)), image(np.zeros((5, 7)), place(3))]


def colour():
    one = series((0,), SamplesPerPixel=3, PhotometricInterpretation="RGB")
    return [*one, *series((1, 2, 3))]


def miscounted():
    one = enhanced()
    one.NumberOfFrames = 3
    return [one]


def short_pixels():
    one = series((0,))[0]
    one.PixelData = one.PixelData[:20]
    return [one, *series((1, 2, 3))]


REFUSED = {
    "gantry tilt": (tilted, "tilt.*degrees"),
    "missing slice": (lambda: series((0, 1, 3)), "missing.*2.5 to 5 mm.*5 mm after slice 2 "),
    "missing near the end": (lambda: series((0, 2, 3, 4, 5, 6)), "missing slices"),
    "uneven": (lambda: [*series((0, 1)), image(HU[2], place(2.3))], "unevenly.*2.5 to 3.25 mm"),
    "two phases": (lambda: [*series(), image(HU[0] + 1, place(2))], "different slices in one"),
    "orientations": (turned, r"different orientations.*\(1, 0, 0\) column \(0, 1, 0\)"),
    "sizes": (larger, "different sizes.*3 of 6 x 5; 1 of 7 x 5"),
    "spacings": (lambda: [*series((0, 1, 2)), *series((3,), PixelSpacing=[1, 1])], "spacings"),
    "colour": (colour, "colour image; received: RGB, 3 samples"),
    "one slice": (lambda: series((0,)), "one-slice volume"),
    "another modality": (lambda: series(Modality="MR", SOPClassUID=""), "no CT.*modality MR"),
    "no position": (lambda: series(ImagePositionPatient=None), "ImagePositionPatient"),
    "no spacing": (lambda: series(PixelSpacing=[0, 1]), "PixelSpacing.*positive"),
    "no orientation": (lambda: series(ImageOrientationPatient=[0] * 6), "two unit vectors"),
    "slope of nothing": (lambda: series(RescaleSlope=0), "RescaleSlope"),
    "frames miscounted": (miscounted, "NumberOfFrames.*received: 3.*4 described"),
    "pixels missing": (short_pixels, "cannot be read as DICOM"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_even_stack_is_refused_with_the_numbers_seen(case, tmp_path):
    images, words = REFUSED[case]
    with pytest.raises(ImageError, match=words) as caught:
        vio.read(save(images(), tmp_path))
    assert "Secret" not in str(caught.value)
    assert "S3CR3T" not in str(caught.value)


def test_a_truncated_file_is_named(tmp_path):
    folder = save(series(), tmp_path)
    path = sorted(folder.iterdir())[1]
    whole = path.read_bytes()
    for length in (200, 420, 700, len(whole) - 10):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match=path.name):
            vio.read(folder)


def test_empty_folders_lists_and_broken_zips_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "notes.txt").write_text("no image" * 40)
    save(series((0,)), tmp_path / "one")
    for path, words in (
        (tmp_path / "folder", "no CT series.*no DICOM image"),
        (tmp_path / "broken.zip", "no CT series"),
        ([], "no file"),
        ([next((tmp_path / "one").iterdir()), tmp_path / "notes.txt"], r"notes\.txt is not DICOM"),
        ([tmp_path / "absent.dcm", tmp_path / "notes.txt"], "does not exist"),
    ):
        with pytest.raises(ImageError, match=words):
            vio.read(path)


def test_an_encrypted_or_damaged_zip_member_is_refused(tmp_path):
    folder = save(series(), tmp_path / "scan")
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    content = bytearray((tmp_path / "scan.zip").read_bytes())
    content[len(content) // 2] ^= 0xFF  # the checksum of one member no longer holds
    (tmp_path / "scan.zip").write_bytes(content)
    with pytest.raises(ImageError, match=r"scan\.zip"):
        vio.read(tmp_path / "scan.zip")


def test_a_scan_that_is_too_large_is_refused_before_its_pixels_are_read(tmp_path):
    folder = save(series(Rows=60000, Columns=60000), tmp_path)
    with pytest.raises(ImageError, match=r"truncated.*60000 x 60000 x 4 voxels, 28800000000 bytes"):
        vio.read(folder)
    with pytest.raises(ImageError, match=r"too large.*6 x 5 x 4 voxels"):
        vio.read(save(series(), tmp_path / "small"), max_bytes=100)


def test_the_real_series_gives_the_grid_and_values_of_its_nifti(real_ct):
    series_read = vio.read(real_ct / "dicom_ct/example_ct_dicom")
    expected = vio.read(real_ct / "totalseg_mini/s0001/ct.nii.gz")
    assert series_read.grid.same_as(expected.grid)
    np.testing.assert_array_equal(series_read.voxels, expected.voxels)
