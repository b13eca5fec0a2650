"""Labels as DICOM: which of its two kinds a file or a zip holds, and what both kinds share.

A label's number is the N of a description "label N", as `voxtrail.io.dicom.seg` and
`voxtrail.io.dicom.rtstruct` write it, where every structure of the file has one; else it is the
structure's own number in the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtrail.errors import ImageError
from voxtrail.io.dicom.files import Header, headers, is_dicom, sources
from voxtrail.io.format import LabelRequest
from voxtrail.io.refusals import MAX_LABEL
from voxtrail.io.structures import chosen

#: SOP classes of segmentations (with frames a segment, and as one label map) and structure sets.
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURE_SETS = ("1.2.840.10008.5.1.4.1.1.481.3",)

_OWN_NUMBER = re.compile(r"label (\d{1,5})")


@dataclass(frozen=True)
class StructureItem:
    """What a file says of one segment or region of interest.

    Parameters
    ----------
    number
        Its number in the file.
    name, description
        Texts; may be empty.
    frame_of_reference
        The UID of the frame in which it has its place; may be empty.
    """

    number: int
    name: str
    description: str
    frame_of_reference: str


def holds(path: Path, classes: Sequence[str]) -> bool:
    """Tell whether a file or a zip is DICOM with labels of one of some SOP classes.

    Raises
    ------
    ImageError
        If it is DICOM without labels, or with several objects of labels.
    """
    if not is_dicom(path):
        return False
    with sources([path]) as found:
        read = headers(found, only_dicom=len(found) == 1, kind_only=True)
        return sop_class(header_of(read, path)) in classes


def header_of(read: Sequence[Header], path: Path) -> Header:
    """Return the one object with labels among several.

    Raises
    ------
    ImageError
        If there is none, or there are several.
    """
    known = (*SEGMENTATIONS, *STRUCTURE_SETS)
    fitting = [header for header in read if sop_class(header) in known]
    if len(fitting) != 1:
        kinds = {str(header.elements.get("Modality") or "unknown") for header in read}
        raise ImageError(
            f"{path} is not one DICOM object with labels",
            received=f"{len(fitting)} of {len(read)} objects; modality {', '.join(sorted(kinds))}",
            accepted="one DICOM Segmentation or RT Structure Set",
            remedy="pass the file of the segmentation itself",
        )
    return fitting[0]


def sop_class(header: Header) -> str:
    """Return what kind of object a header is of, as a UID; may be empty."""
    elements = header.elements
    kind = elements.get("SOPClassUID") or elements.file_meta.get("MediaStorageSOPClassUID")
    return str(kind or "")


@dataclass(frozen=True)
class Choice:
    """The structures of a file that are wanted.

    Parameters
    ----------
    label_of
        The label of every structure, by its number in the file; 0 of one that is not wanted.
    names
        What the labels that are wanted are called, those without a text left out.
    """

    label_of: dict[int, int]
    names: dict[int, str]


def choose(structures: Sequence[StructureItem], request: LabelRequest, path: Path) -> Choice:
    """Return which structures are wanted, and their labels.

    Raises
    ------
    ImageError
        If two structures share a number, or one is no label's; if one that is wanted has its place
        in another frame of reference than the scan.
    OptionError
        If a structure is wanted that there is not.
    """
    label_of = _numbered(structures, path)
    called = {label: one.name or str(label) for one, label in _pairs(structures, label_of)}
    wanted = chosen(called, request.structures, path)
    kept = [(one, label) for one, label in _pairs(structures, label_of) if label in wanted]
    _refuse_another_frame([one for one, _ in kept], request, path)
    return Choice(
        {number: label if label in wanted else 0 for number, label in label_of.items()},
        {label: one.name for one, label in kept if one.name},
    )


def _pairs(
    structures: Sequence[StructureItem], label_of: dict[int, int]
) -> list[tuple[StructureItem, int]]:
    return [(one, label_of[one.number]) for one in structures]


def _refuse_another_frame(
    structures: Sequence[StructureItem], request: LabelRequest, path: Path
) -> None:
    ours = request.frame_of_reference
    for one in structures:
        theirs = one.frame_of_reference
        if ours and theirs and ours != theirs:
            raise ImageError(
                f"{path} was drawn in another frame of reference than the scan's",
                received=f"{theirs} ({one.name or one.number})",
                accepted=ours,
                remedy="pass the scan that it was drawn on; where you know that both lie in one "
                "place, pass the scan as NIfTI, which names no frame",
            )


def _numbered(structures: Sequence[StructureItem], path: Path) -> dict[int, int]:
    own = [_OWN_NUMBER.fullmatch(one.description) for one in structures]
    labels = [int(found[1]) for found in own if found]
    if len(set(labels)) != len(structures):
        labels = [one.number for one in structures]
    if len(set(labels)) != len(labels) or not all(1 <= label <= MAX_LABEL for label in labels):
        raise ImageError(
            f"{path}: its structures have no numbers of their own",
            received=", ".join(map(str, labels[:20])),
            accepted=f"different whole numbers from 1 to {MAX_LABEL}",
            remedy="export the segmentation again",
        )
    return {one.number: label for one, label in zip(structures, labels, strict=True)}


def text(elements: Any, name: str) -> str:
    """Return an element as one line of text; empty where it is missing."""
    return " ".join(str(elements.get(name) or "").split())
