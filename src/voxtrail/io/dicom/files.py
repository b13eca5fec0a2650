"""The DICOM objects in a folder, a zip or a list of files, headers only.

Names and suffixes say nothing: what is DICOM is told by content. Other files in a folder or a zip
are passed over. Zips are never unpacked to disk, so member names cannot lead anywhere.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from voxtrail.errors import ImageError
from voxtrail.io.dicom.element_budget import BoundedFile, ElementBudget, unfold
from voxtrail.io.dicom.frame_values import GROUP_OF, PER_FRAME, Values, read_frame_values, values_of
from voxtrail.io.dicom.zip_directory import refuse_long_directory
from voxtrail.io.refusals import reading

#: More files than this are no single study.
MAX_FILES = 100_000

#: A zip of a scan unpacks to no more than so many times its size and some: scans halve, air
#: shrinks more (ours).
_ZIP_RATIO, _ZIP_FREE = 100, 64 * 2**20

#: A deflated object unpacks to no more than this, of which pydicom takes a copy.
_MAX_INFLATED = 512 * 2**20

_DEFLATED, _EXPLICIT = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1"

#: Where the word DICM stands in a file with a preamble.
_PREAMBLE = 128

#: The file meta lies within so many bytes.
_META = 4096

#: A file without preamble begins with an element of group 0002 or 0008, little-endian.
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")

#: Modality and SOP class come no later than the first, all but the pixels no later than the second.
_LAST_OF_KIND, _LAST_BEFORE_PIXELS = 0x00080060, 0x7FDFFFFF

#: Header elements that are looked at, in sequences too; no name or identifier of a patient is among
#: them.
_ELEMENTS = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "Modality",
    "ImageType",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
    "FrameOfReferenceUID",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "BitsAllocated",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "SharedFunctionalGroupsSequence",
    *dict.fromkeys(GROUP_OF),
    *dict.fromkeys(GROUP_OF.values()),
)

#: The same of the file meta.
_META_ELEMENTS = ("MediaStorageSOPClassUID", "TransferSyntaxUID")


#: Suffixes that announce DICOM; files of any other name are told by their content.
SUFFIXES = (".dcm", ".dicom", ".ima", ".zip")


@dataclass(frozen=True)
class ByteSource:
    """A file, or a member of a zip.

    Parameters
    ----------
    path
        The file, or the zip.
    member
        Its name in the zip; None for a file.
    size
        How many bytes it has, unpacked.
    open
        Opens it for reading; see `opened`.
    frames_end
        Where the headers of its frames end, in bytes; None where it has none, or none were read.
    """

    path: Path
    member: str | None
    size: int
    open: Callable[[], IO[bytes]]
    frames_end: int | None = None

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
    shared
        What its functional groups say of all frames.
    per_frame
        What they say of each; empty for an object of one slice.
    """

    source: ByteSource
    elements: Any
    frames: int
    shared: Values = field(default_factory=dict)
    per_frame: Sequence[Values] = ()

    def value(self, element: str, frame: int) -> Any:
        """Return an element of a frame: its own, else that of all frames, else the object's."""
        for values in (*self.per_frame[frame : frame + 1], self.shared):
            if element in values:
                return values[element]
        return self.elements.get(element)


@contextmanager
def sources(places: Sequence[Path]) -> Iterator[list[ByteSource]]:
    """Give the files that one folder, one zip or a list of files stands for, sorted by name.

    Raises
    ------
    ImageError
        If there are too many, or the zip is damaged.
    """
    first = places[0]
    if len(places) == 1 and first.is_dir():
        files = (path for path in first.rglob("*") if path.is_file())
        yield _few(sorted(islice(files, MAX_FILES + 1)), first)
    elif len(places) == 1 and zipfile.is_zipfile(first):
        refuse_long_directory(first, MAX_FILES)
        with reading(first, "zip"):
            archive = zipfile.ZipFile(first)
            members = _members(archive, first)
        with archive:
            yield members
    else:
        yield _few(list(places), first)


def headers(
    found: Sequence[ByteSource],
    *,
    only_dicom: bool,
    further: Sequence[str] = (),
    kind_only: bool = False,
) -> list[Header]:
    """Read the headers of those sources that are DICOM.

    Parameters
    ----------
    found
        The sources.
    only_dicom
        Whether a source that is no DICOM is refused instead of passed over.
    further
        Elements to read besides those that say what and where an image is.
    kind_only
        Whether to stop after what says of which kind an object is.

    Raises
    ------
    ImageError
        If a DICOM header is damaged, or headers would take too much memory.
    """
    read = []
    places = {one.path.parent if one.member is None else one.path for one in found}
    kept = ElementBudget(", ".join(map(str, sorted(places)[:1])))
    for source in found:
        budget = ElementBudget(source.name)
        with reading(Path(source.name), "DICOM"), opened(source, budget) as file:
            if looks_like_dicom(file):
                read.append(_header(file, source, further, budget, kind_only=kind_only))
                if any(element.VR == "SQ" for element in read[-1].elements):
                    kept.add(budget.count)
            elif only_dicom:
                raise ImageError(
                    f"{source.name} is not DICOM",
                    received="a file that begins as none",
                    accepted="DICOM files only, when files are listed",
                    remedy="leave it out of the list",
                )
    return read


@contextmanager
def opened(source: ByteSource, budget: ElementBudget | None = None) -> Iterator[IO[bytes]]:
    """Open a source so that nothing in it makes a DICOM parser take memory out of proportion.

    Parameters
    ----------
    source
        The source.
    parts
        What counts the parser's steps; a count of its own by default.
    """
    budget = budget or ElementBudget(source.name)
    with source.open() as file:
        start = file.read(_META)
        file.seek(0)
        if start[_PREAMBLE : _PREAMBLE + 4] == b"DICM" and _DEFLATED in start:
            content = _inflated(start, file, source)
            plain, size = io.BytesIO(content), len(content)
        else:
            plain, size = cast("io.BytesIO", file), source.size
        yield cast("IO[bytes]", BoundedFile(plain, size, budget))


def _inflated(start: bytes, file: IO[bytes], source: ByteSource) -> bytes:
    """Return a deflated object as it was before it was deflated, if it is not too large.

    Source: DICOM PS3.5 A.5; all but the file meta is one raw deflate stream.
    """
    # The group length is the first element: tag, VR and length (8 bytes), then 4 of its value.
    length = int.from_bytes(start[_PREAMBLE + 12 : _PREAMBLE + 16], "little")
    begin = _PREAMBLE + 16 + length
    if length > _META:
        raise ValueError("its file meta has no plausible length")
    meta = file.read(begin)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(file.read(), _MAX_INFLATED)
    if unpacker.unconsumed_tail:
        raise ImageError(
            f"{source.name} is too large",
            received=f"over {_MAX_INFLATED} bytes from {source.size} deflated ones",
            accepted=f"at most {_MAX_INFLATED}",
            remedy="export it without deflate",
        )
    plain = _EXPLICIT.ljust(len(_DEFLATED), b"\0")
    return meta.replace(_DEFLATED, plain) + content


def is_dicom(path: Path) -> bool:
    """Tell whether a file is DICOM by its name, or else by its content."""
    if path.name.lower().endswith(SUFFIXES):
        return True
    with path.open("rb") as file:
        return looks_like_dicom(file)


def looks_like_dicom(file: IO[bytes]) -> bool:
    """Tell from its first bytes whether a file may be DICOM; it is left at its start."""
    start = file.read(_PREAMBLE + 4)
    file.seek(0)
    return start[_PREAMBLE:] == b"DICM" or start[:2] in _FIRST_GROUPS


def _header(
    file: IO[bytes],
    source: ByteSource,
    further: Sequence[str],
    budget: ElementBudget,
    *,
    kind_only: bool,
) -> Header:
    from pydicom.filereader import read_partial
    from pydicom.tag import Tag

    last = _LAST_OF_KIND if kind_only else _LAST_BEFORE_PIXELS
    wanted = frozenset(Tag(name) for name in (*_ELEMENTS, *further))
    met: list[int] = []

    def stop(tag: int, vr: str | None, length: int) -> bool:
        if tag == PER_FRAME:
            met.append(tag)
        return tag > last or tag == PER_FRAME

    elements = read_partial(
        cast("Any", file), stop_when=stop, force=True, specific_tags=list(wanted)
    )
    # Here, where pydicom's complaints are caught, rather than when an element is first looked at.
    unfold(elements, budget, wanted)
    unfold(elements.file_meta, budget, frozenset(Tag(name) for name in _META_ELEMENTS))
    frames = int(elements.get("NumberOfFrames") or 1)
    shared = elements.get("SharedFunctionalGroupsSequence") or []
    of_all = values_of(shared[0]) if shared else {}
    if not met:
        return Header(source, elements, frames, of_all)
    per_frame, end = read_frame_values(file, elements, budget)
    return Header(replace(source, frames_end=end), elements, frames, of_all, per_frame)


def _members(archive: zipfile.ZipFile, path: Path) -> list[ByteSource]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    _refuse_many(len(members), path)

    def opener(member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        return lambda: archive.open(member)

    _refuse_bomb(members, path)
    return [
        ByteSource(path, member.filename, member.file_size, opener(member))
        for member in sorted(members, key=lambda member: member.filename)
    ]


def _few(paths: Sequence[Path], place: Path) -> list[ByteSource]:
    _refuse_many(len(paths), place)

    def opener(path: Path) -> Callable[[], IO[bytes]]:
        return lambda: cast("IO[bytes]", path.open("rb"))

    return [ByteSource(path, None, path.stat().st_size, opener(path)) for path in paths]


def _refuse_bomb(members: Sequence[zipfile.ZipInfo], path: Path) -> None:
    """Refuse a zip that would grow out of all proportion, or is packed in an uncommon way."""
    promised = sum(member.file_size for member in members)
    allowed = path.stat().st_size * _ZIP_RATIO + _ZIP_FREE
    methods = {member.compress_type for member in members}
    if promised > allowed or not methods <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ImageError(
            f"{path} is no zip of a scan",
            received=f"{promised} bytes in {path.stat().st_size}, methods {sorted(methods)}",
            accepted=f"at most {allowed} bytes, stored or deflated",
            remedy="unpack it yourself and pass the folder",
        )


def _refuse_many(files: int, place: Path) -> None:
    if files > MAX_FILES:
        raise ImageError(
            f"{place} holds too many files",
            received=f"over {MAX_FILES}",
            accepted=f"at most {MAX_FILES}",
            remedy="pass the folder of one study",
        )
