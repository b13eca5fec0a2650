"""DICOM RT Structure Set: closed planar contours on the slices of the series that was labelled.

Written with pydicom alone. Contours are in patient millimetres (LPS, as DICOM has them), in the
planes of the source's slices. Patient and study are copied from the series, as the format requires.
`voxtrail.io.dicom.rtstruct_reader` fills the contours again.
"""

from __future__ import annotations

import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import voxtrail
from voxtrail.core.palette import colours, rgb
from voxtrail.core.volume import LabelMap
from voxtrail.io.anatomy import Code, anatomy_of
from voxtrail.io.dicom.contours import outlines
from voxtrail.io.dicom.labels import STRUCTURE_SETS, holds
from voxtrail.io.dicom.rtstruct_reader import read
from voxtrail.io.dicom.seg import SERIES_NUMBER
from voxtrail.io.dicom.source import COPIED, SourceSeries, check_source, read_source, referring
from voxtrail.io.dicom.text import long_string
from voxtrail.io.format import Format

#: SOP class RT Structure Set Storage, and the class by which a study is referred to.
_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY = "1.2.840.10008.3.1.2.3.1"

#: RAS to LPS.
_RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

#: Digits after the point: nanometres, in the 16 characters that DICOM has for a number.
_DIGITS = 6


def write(labels: LabelMap, path: Path) -> None:
    """Write contours on the series that the labels' origin names.

    Raises
    ------
    ImageError
        If a file of the series has gone or is damaged.
    OutputError
        If the series has no identifiers, or breaks the standard.
    """
    source = read_source(labels.provenance)
    with referring("an RT structure set"):
        structures = _frame(source)
        colour_of = colours(labels.listed())
        for label in labels.labels():
            name = labels.name(label)
            number = len(structures.StructureSetROISequence) + 1
            structures.StructureSetROISequence.append(
                _item(
                    ROINumber=number,
                    ReferencedFrameOfReferenceUID=structures.FrameOfReferenceUID,
                    ROIName=long_string(name),
                    ROIDescription=f"label {label}",
                    ROIGenerationAlgorithm="SEMIAUTOMATIC",
                )
            )
            structures.ROIContourSequence.append(
                _item(
                    ROIDisplayColor=list(rgb(colour_of[label])),
                    ContourSequence=_contours(
                        labels.stored.orientation().to_stored(labels.mask(label)),
                        labels.stored.affine,
                        source,
                    ),
                    ReferencedROINumber=number,
                )
            )
            structures.RTROIObservationsSequence.append(_observation(number, name))
        structures.save_as(path, enforce_file_format=True)


def _contours(mask: Any, affine: Any, source: SourceSeries) -> list[Any]:
    """Return the contours of a mask (column, row, slice), slice by slice.

    A slice lies where its own header puts it, which may be a little off its place in the affine.
    """
    found = []
    in_plane_mm = (_RAS_LPS @ affine)[:3, :2]  # a column and a row further
    for number in np.flatnonzero(mask.any(axis=(0, 1))):
        for line in outlines(mask[:, :, number].T):  # (row, column)
            points_mm = source.corner_mm(int(number)) + line @ in_plane_mm.T
            found.append(
                _item(
                    ContourImageSequence=[_reference(source, int(number))],
                    ContourGeometricType="CLOSED_PLANAR",
                    NumberOfContourPoints=len(line),
                    ContourData=[f"{mm:.{_DIGITS}f}" for mm in points_mm.ravel()],
                )
            )
    return found


def _reference(source: SourceSeries, number: int) -> Any:
    """Return what refers to one slice."""
    image, frame = source.of_slice[number]
    elements = source.images[image]
    reference = _item(
        ReferencedSOPClassUID=elements.SOPClassUID, ReferencedSOPInstanceUID=elements.SOPInstanceUID
    )
    if "NumberOfFrames" in elements:
        reference.ReferencedFrameNumber = frame + 1
    return reference


def _frame(source: SourceSeries) -> Any:
    """Return the structure set without its structures."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    first = source.images[0]
    now = datetime.datetime.now()
    date, time = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    images = [
        _item(ReferencedSOPClassUID=one.SOPClassUID, ReferencedSOPInstanceUID=one.SOPInstanceUID)
        for one in source.images
    ]
    series = _item(SeriesInstanceUID=first.SeriesInstanceUID, ContourImageSequence=images)
    study = _item(
        ReferencedSOPClassUID=_STUDY,
        ReferencedSOPInstanceUID=first.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = _STRUCTURE_SET
    meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
    structures = _item(
        SpecificCharacterSet="ISO_IR 192",
        SOPClassUID=_STRUCTURE_SET,
        SOPInstanceUID=meta.MediaStorageSOPInstanceUID,
        InstanceCreationDate=date,
        InstanceCreationTime=time,
        **{name: first[name].value for name in COPIED},
        StudyInstanceUID=first.StudyInstanceUID,
        SeriesInstanceUID=generate_uid(prefix=None),
        SeriesNumber=SERIES_NUMBER + 1,
        SeriesDescription="voxtrail contours",
        Modality="RTSTRUCT",
        OperatorsName="",
        Manufacturer="voxtrail",
        ManufacturerModelName="voxtrail",
        SoftwareVersions=voxtrail.__version__,
        FrameOfReferenceUID=first.FrameOfReferenceUID,
        PositionReferenceIndicator="",
        InstanceNumber=1,
        StructureSetLabel="voxtrail",
        StructureSetDescription="Research use only. Not a medical device.",
        StructureSetDate=date,
        StructureSetTime=time,
        ReferencedFrameOfReferenceSequence=[
            _item(
                FrameOfReferenceUID=first.FrameOfReferenceUID,
                RTReferencedStudySequence=[study],
            )
        ],
        StructureSetROISequence=[],
        ROIContourSequence=[],
        RTROIObservationsSequence=[],
        ApprovalStatus="UNAPPROVED",
    )
    structures.file_meta = meta
    return structures


def _observation(number: int, name: str) -> Any:
    anatomy = anatomy_of(name)
    kind = _concept(anatomy.kind)
    if anatomy.side:
        kind.SegmentedPropertyTypeModifierCodeSequence = [_concept(anatomy.side)]
    return _item(
        ObservationNumber=number,
        ReferencedROINumber=number,
        RTROIIdentificationCodeSequence=[kind],
        RTROIInterpretedType="",
        ROIInterpreter="",
    )


def _concept(code: Code) -> Any:
    return _item(CodeValue=code.value, CodingSchemeDesignator=code.scheme, CodeMeaning=code.meaning)


def _item(**elements: Any) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    for name, value in elements.items():
        setattr(item, name, value)
    return item


FORMAT = Format(
    name="DICOM RT Structure Set",
    written=(".rtstruct.dcm",),
    recognises=partial(holds, classes=STRUCTURE_SETS),
    read_labels=read,
    write_labels=write,
    needs_scan=True,
    layers=True,
    needs_voxels=True,
    check_source=partial(check_source, "DICOM RT Structure Set"),
    read_as="labels, with the scan (any name)",
)
