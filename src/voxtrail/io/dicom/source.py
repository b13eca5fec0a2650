"""The headers of the series that was labelled, for files that refer to it.

They hold the patient's name and identifiers, which such files have to copy; nothing else of
voxtrail reads them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.provenance import Provenance
from voxtrail.errors import OutputError
from voxtrail.io.dicom.files import opened, sources
from voxtrail.io.refusals import reading

#: Without these a reference leads nowhere.
_REQUIRED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
)

#: Elements that a derived object has to copy, empty where the source leaves them out.
COPIED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """The objects of a series.

    Parameters
    ----------
    images
        pydicom data sets without pixels, in the order of the slices: one a slice, or fewer where
        an object holds several.
    of_slice
        For each slice: which of the images holds it, and which of its frames it is, from 0.
    """

    images: tuple[Any, ...]
    of_slice: tuple[tuple[int, int], ...]

    def corner_mm(self, number: int) -> NDArray[np.float64]:
        """Return (3,) LPS, where a slice's own header puts the centre of its first pixel."""
        image, frame = self.of_slice[number]
        elements = self.images[image]
        groups = [
            *(elements.get("PerFrameFunctionalGroupsSequence") or [])[frame : frame + 1],
            *(elements.get("SharedFunctionalGroupsSequence") or [])[:1],
        ]
        placed = [group.get("PlanePositionSequence") for group in groups]
        plane = next((items[0] for items in placed if items), elements)
        return np.array([float(mm) for mm in plane.ImagePositionPatient])


def read_source(provenance: Provenance) -> SourceSeries:
    """Read the headers of every slice again.

    Parameters
    ----------
    provenance
        Of a scan that was read from DICOM.

    Raises
    ------
    ImageError
        If a file has gone or is damaged.
    OutputError
        If an identifier that a reference needs is missing.
    """
    places = list(dict.fromkeys((one.path, one.member) for one in provenance.slices))
    images = tuple(_headers(places))
    for image, (path, member) in zip(images, places, strict=True):
        with referring("any file"):
            missing = [name for name in _REQUIRED if not image.get(name)]
        if missing:
            raise OutputError(
                "the DICOM series cannot be referred to: identifiers were removed from it",
                received=f"{member or path.name} without {', '.join(missing)}",
                accepted="a series with its UIDs",
                remedy="pass the series as it was exported, or write .nii.gz or .seg.nrrd",
            )
        for name in COPIED:
            if name not in image:
                setattr(image, name, "")
    number = {place: index for index, place in enumerate(places)}
    of_slice = tuple((number[one.path, one.member], one.frame) for one in provenance.slices)
    return SourceSeries(images, of_slice)


def check_source(kind: str, provenance: Provenance) -> None:
    """Refuse labels of a scan that a file of DICOM labels could not refer to.

    Parameters
    ----------
    kind
        What people call the format.
    provenance
        Where the scan was read from.

    Raises
    ------
    OutputError
        If the scan was not read from a DICOM series, or from one whose identifiers were removed.
    ImageError
        If a file of the series has gone.
    """
    if not provenance.slices:
        raise OutputError(
            f"{kind} has to name the DICOM series that was labelled",
            received="labels of a scan that was not read from DICOM",
            accepted="a DICOM folder, zip or list of files as the scan",
            remedy="pass the scan as DICOM, or write .nii.gz or .seg.nrrd",
        )
    read_source(provenance)


@contextmanager
def referring(what: str) -> Iterator[None]:
    """Turn what libraries raise at a source that breaks the standard into an `OutputError`.

    Their warnings and messages quote values, which here may be the patient's: none is passed on.

    Parameters
    ----------
    what
        What is being written.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise OutputError(
                f"the DICOM series cannot be referred to in {what}",
                received=f"a header that breaks the standard ({type(error).__name__})",
                accepted="a CT series after the standard",
                remedy="write .nii.gz or .seg.nrrd",
            ) from error


def _headers(places: Sequence[tuple[Path, str | None]]) -> Iterator[Any]:
    import pydicom

    for path, member in places:
        with reading(path, "DICOM"), _opened(path, member) as file:
            yield pydicom.dcmread(file, stop_before_pixels=True, force=True)


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    with sources([path]) as found, opened(next(s for s in found if s.member == member)) as file:
        yield file
