"""A small CT series as DICOM, after the standard: oblique, anisotropic, in whatever form."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

COLUMNS, ROWS, SLICES = 12, 10, 6
SPACING_MM = (0.7, 0.9, 2.5)  # columns, rows, slices
ORIGIN_LPS = np.array([-100.0, -80.0, 300.0])
_A, _B = np.radians([25.0, -15.0])
ALONG_ROW = np.array([np.cos(_B), 0, -np.sin(_B)])
ALONG_COLUMN = np.array([np.sin(_A) * np.sin(_B), np.cos(_A), np.sin(_A) * np.cos(_B)])
NORMAL = np.cross(ALONG_ROW, ALONG_COLUMN)
HU = np.random.default_rng(3).integers(-1000, 1500, (SLICES, ROWS, COLUMNS)).astype(np.int16)
SECRET = ("Secret^Name", "S3CR3T")


def place_lps(column: float, row: float, number: float) -> np.ndarray:
    x, y, z = np.array([column, row, number]) * SPACING_MM
    return ORIGIN_LPS + x * ALONG_ROW + y * ALONG_COLUMN + z * NORMAL


def classic() -> list[Dataset]:
    """One object a slice."""
    common = {name: generate_uid() for name in ("Study", "Series", "Frame")}
    return [_classic(number, common) for number in range(SLICES)]


def _classic(number: int, uids: dict[str, str]) -> Dataset:
    one = _base(uids, HU[number], CTImageStorage)
    one.InstanceNumber = 99 - number
    one.ImagePositionPatient = _numbers(place_lps(0, 0, number))
    one.ImageOrientationPatient = _numbers([*ALONG_ROW, *ALONG_COLUMN])
    one.PixelSpacing = [SPACING_MM[1], SPACING_MM[0]]
    one.SliceThickness = SPACING_MM[2]
    one.RescaleSlope, one.RescaleIntercept = 1, 0
    return one


def enhanced(order=(2, 0, 5, 3, 1, 4)) -> Dataset:
    """All slices in one object, out of order."""
    uids = {name: generate_uid() for name in ("Study", "Series", "Frame")}
    one = _base(uids, HU[list(order)], EnhancedCTImageStorage)
    one.InstanceNumber = 1
    one.NumberOfFrames = len(order)
    shared = Dataset()
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = [SPACING_MM[1], SPACING_MM[0]]
    shared.PixelMeasuresSequence[0].SliceThickness = SPACING_MM[2]
    shared.PlaneOrientationSequence = [Dataset()]
    cosines = _numbers([*ALONG_ROW, *ALONG_COLUMN])
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = cosines
    one.SharedFunctionalGroupsSequence = [shared]
    one.PerFrameFunctionalGroupsSequence = []
    for number in order:
        frame = Dataset()
        frame.PlanePositionSequence = [Dataset()]
        position = _numbers(place_lps(0, 0, number))
        frame.PlanePositionSequence[0].ImagePositionPatient = position
        one.PerFrameFunctionalGroupsSequence.append(frame)
    return one


def save(images: list[Dataset], folder: Path) -> Path:
    """Write a folder of files whose names do not sort as the slices do."""
    folder.mkdir()
    for number, one in enumerate(images):
        one.save_as(folder / f"{(number * 5 + 2) % 97}.dcm", enforce_file_format=True)
    return folder


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"inside/{file.name}")
    return path


def _base(uids: dict[str, str], hu: np.ndarray, kind: str) -> Dataset:
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.SpecificCharacterSet = "ISO_IR 100"
    one.SOPClassUID, one.SOPInstanceUID = kind, generate_uid()
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    one.StudyInstanceUID, one.SeriesInstanceUID = uids["Study"], uids["Series"]
    one.FrameOfReferenceUID = uids["Frame"]
    one.PatientName, one.PatientID = SECRET
    one.PatientBirthDate, one.PatientSex = "19500203", "F"
    one.StudyDate, one.StudyTime, one.StudyID = "20200102", "101112", "7"
    one.AccessionNumber, one.ReferringPhysicianName = "", ""
    one.Modality, one.SeriesNumber, one.Manufacturer = "CT", 2, "nobody"
    one.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    one.Rows, one.Columns = hu.shape[-2:]
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
    one.PixelData = hu.astype("<i2").tobytes()
    return one


def _numbers(values) -> list[float]:
    # DICOM's decimal strings have 16 characters.
    return [float(f"{value:.10f}"[:16]) for value in values]
