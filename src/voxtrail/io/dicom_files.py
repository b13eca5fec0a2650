"""The DICOM objects in a folder, a zip or a list of files, headers only.

Names and suffixes say nothing: what is DICOM is told by content. Other files in a folder or a zip
are passed over. Zips are never unpacked to disk, so member names cannot lead anywhere.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from voxtrail.errors import ImageError
from voxtrail.io.format import reading

#: More files than this are no single study.
MAX_FILES = 100_000

#: Where the word DICM stands in a file with a preamble.
_PREAMBLE = 128

#: A file without preamble begins with an element of group 0002 or 0008, little-endian.
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")

#: Header elements that are looked at; no name or identifier of a patient is among them.
_ELEMENTS = (
    "SOPClassUID",
    "Modality",
    "ImageType",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)


@dataclass(frozen=True)
class Source:
    """A file, or a member of a zip.

    Parameters
    ----------
    path
        The file, or the zip.
    member
        Its name in the zip; None for a file.
    open
        Opens it for reading.
    """

    path: Path
    member: str | None
    open: Callable[[], IO[bytes]]

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"


@dataclass(frozen=True, eq=False)
class Header:
    """A DICOM object without its pixels.

    Parameters
    ----------
    source
        Where it lies.
    elements
        pydicom's data set.
    frames
        Number of slices that it holds.
    """

    source: Source
    elements: Any
    frames: int


@contextmanager
def sources(places: Sequence[Path]) -> Iterator[list[Source]]:
    """Give the files that one folder, one zip or a list of files stands for, sorted by name.

    Raises
    ------
    ImageError
        If there are too many, or the zip is damaged.
    """
    first = places[0]
    if len(places) == 1 and first.is_dir():
        yield _few(sorted(path for path in first.rglob("*") if path.is_file()), first)
    elif len(places) == 1 and zipfile.is_zipfile(first):
        with reading(first, "zip"):
            archive = zipfile.ZipFile(first)
            members = _members(archive, first)
        with archive:
            yield members
    else:
        yield _few(list(places), first)


def headers(found: Sequence[Source], *, only_dicom: bool) -> list[Header]:
    """Read the headers of those sources that are DICOM.

    Parameters
    ----------
    found
        The sources.
    only_dicom
        Whether a source that is no DICOM is refused instead of passed over.

    Raises
    ------
    ImageError
        If a DICOM header is damaged.
    """
    read = []
    for source in found:
        with reading(Path(source.name), "DICOM"), source.open() as file:
            if looks_like_dicom(file):
                elements = _elements(file)
                read.append(Header(source, elements, int(elements.get("NumberOfFrames") or 1)))
            elif only_dicom:
                raise ImageError(
                    f"{source.name} is not DICOM",
                    received="a file that begins as none",
                    accepted="DICOM files only, when files are listed",
                    remedy="leave it out of the list",
                )
    return read


def looks_like_dicom(file: IO[bytes]) -> bool:
    """Tell from its first bytes whether a file may be DICOM; it is left at its start."""
    start = file.read(_PREAMBLE + 4)
    file.seek(0)
    return start[_PREAMBLE:] == b"DICM" or start[:2] in _FIRST_GROUPS


def _elements(file: IO[bytes]) -> Any:
    import pydicom

    with warnings.catch_warnings():
        # pydicom warns of values that break the standard; what matters is checked where it is used.
        warnings.simplefilter("ignore")
        elements = pydicom.dcmread(
            file, stop_before_pixels=True, force=True, specific_tags=list(_ELEMENTS)
        )
        # pydicom converts an element when it is first looked at: here, where its complaints are
        # caught, rather than later.
        for part in (elements, elements.file_meta):
            for _ in part.iterall():
                pass
    return elements


def _members(archive: zipfile.ZipFile, path: Path) -> list[Source]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    _refuse_many(len(members), path)

    def opener(member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        return lambda: archive.open(member)

    return [
        Source(path, member.filename, opener(member))
        for member in sorted(members, key=lambda member: member.filename)
    ]


def _few(paths: Sequence[Path], place: Path) -> list[Source]:
    _refuse_many(len(paths), place)

    def opener(path: Path) -> Callable[[], IO[bytes]]:
        return lambda: cast("IO[bytes]", path.open("rb"))

    return [Source(path, None, opener(path)) for path in paths]


def _refuse_many(files: int, place: Path) -> None:
    if files > MAX_FILES:
        raise ImageError(
            f"{place} holds too many files",
            received=files,
            accepted=f"at most {MAX_FILES}",
            remedy="pass the folder of one study",
        )
