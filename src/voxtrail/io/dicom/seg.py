"""DICOM Segmentation: one binary segment a label, referring to the series; highdicom writes it.

`voxtrail.io.dicom.seg_reader` reads it, and those of others.

Segments are numbered from 1 by rising label; the label's own number stands in the segment's
description. The frame of every plane is that of the series, slice by slice. Patient and study are
copied from the series, as the format requires.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import voxtrail
from voxtrail.core.palette import colours, rgb
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OutputError
from voxtrail.io.anatomy import Code, anatomy_of
from voxtrail.io.dicom.labels import SEGMENTATIONS, holds
from voxtrail.io.dicom.seg_reader import read
from voxtrail.io.dicom.source import check_source, read_source, referring
from voxtrail.io.dicom.text import long_string
from voxtrail.io.format import Extra, Format

#: Series of derived objects are numbered from here, beyond a scanner's own.
SERIES_NUMBER = 1000


def write(labels: LabelMap, path: Path) -> None:
    """Write a segmentation of the series that the labels' origin names.

    Raises
    ------
    ImageError
        If a file of the series has gone or is damaged.
    OutputError
        If the series has no identifiers, holds several multi-frame objects, or breaks the standard.
    """
    import highdicom
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    source = read_source(labels.provenance)
    if len(source.images) < len(source.of_slice) and len(source.images) > 1:
        raise OutputError(
            "a DICOM segmentation cannot refer to several multi-frame objects",
            received=f"{len(source.images)} objects with {len(source.of_slice)} slices",
            accepted="one multi-frame object, or one object a slice",
            remedy="write .rtstruct.dcm, .nii.gz or .seg.nrrd",
        )
    several = len(source.images) > 1
    frames = len(source.images) if several else int(source.images[0].NumberOfFrames)
    # One plane for each frame of the source, in its order, so that highdicom takes every plane's
    # place from the source itself; frames that are copies of others stay empty and are left out.
    columns, rows, _ = labels.stored.shape
    segments = np.zeros((frames, rows, columns), np.uint16)
    present = labels.labels()
    number_of = np.zeros(max(present) + 1, np.uint16)
    number_of[list(present)] = range(1, len(present) + 1)
    planes = number_of[labels.to_stored().transpose(2, 1, 0)]
    for plane, (image, frame) in zip(planes, source.of_slice, strict=True):
        segments[image if several else frame] = plane
    with referring("a DICOM segmentation"):
        seg = highdicom.seg.Segmentation(
            source_images=list(source.images),
            pixel_array=segments,
            segmentation_type="BINARY",
            segment_descriptions=_descriptions(labels),
            series_instance_uid=generate_uid(prefix=None),
            series_number=SERIES_NUMBER,
            sop_instance_uid=generate_uid(prefix=None),
            instance_number=1,
            manufacturer="voxtrail",
            manufacturer_model_name="voxtrail",
            software_versions=voxtrail.__version__,
            device_serial_number="0",  # required; software has none
            content_label="SEGMENTATION",
            content_description="Research use only. Not a medical device.",
            series_description="voxtrail segmentation",
            transfer_syntax_uid=ExplicitVRLittleEndian,
            specific_character_set="ISO_IR 192",
        )
        seg.save_as(path)


def _descriptions(labels: LabelMap) -> list[Any]:
    import highdicom
    from pydicom.sr.codedict import codes

    colour_of = colours(labels.listed())
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="voxtrail",
        family=codes.DCM.ArtificialIntelligence,
        version=voxtrail.__version__,
    )
    described = []
    for number, label in enumerate(labels.labels(), 1):
        anatomy = anatomy_of(labels.name(label))
        one = highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=long_string(labels.name(label)),
            segmented_property_category=_concept(anatomy.category),
            segmented_property_type=_concept(anatomy.kind),
            anatomic_regions=[_concept(anatomy.region)] if anatomy.region else None,
            # A person outlined some slices.
            algorithm_type="SEMIAUTOMATIC",
            algorithm_identification=algorithm,
            display_color=highdicom.color.CIELabColor.from_rgb(*rgb(colour_of[label])),
        )
        one.SegmentDescription = f"label {label}"
        if anatomy.side and anatomy.region:
            region = one.AnatomicRegionSequence[0]
            region.AnatomicRegionModifierSequence = [_concept(anatomy.side)]
        elif anatomy.side:
            kind = one.SegmentedPropertyTypeCodeSequence[0]
            kind.SegmentedPropertyTypeModifierCodeSequence = [_concept(anatomy.side)]
        described.append(one)
    return described


def _concept(code: Code) -> Any:
    import highdicom

    return highdicom.sr.CodedConcept(code.value, code.scheme, code.meaning)


FORMAT = Format(
    name="DICOM Segmentation",
    written=(".dcm",),
    recognises=partial(holds, classes=SEGMENTATIONS),
    read_labels=read,
    write_labels=write,
    needs_scan=True,
    needs_voxels=True,
    extra=Extra("dicom", "highdicom"),
    check_source=partial(check_source, "DICOM Segmentation"),
    read_as="labels (any name)",
)
