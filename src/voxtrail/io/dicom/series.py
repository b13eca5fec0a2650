"""The CT series among DICOM objects, and the choice of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtrail.errors import ImageError, OptionError
from voxtrail.io.dicom.files import Header

#: SOP classes of CT images: classic, enhanced, legacy converted enhanced.
_CT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.2.2",
)


#: What SOP classes of Secondary Capture begin with.
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True, eq=False)
class CtSeries:
    """The images of one series.

    Parameters
    ----------
    uid
        SeriesInstanceUID; may be empty.
    number
        SeriesNumber as text; may be empty.
    description
        SeriesDescription; may be empty.
    images
        Its objects.
    """

    uid: str
    number: str
    description: str
    images: tuple[Header, ...]

    @property
    def frame_of_reference(self) -> str:
        """FrameOfReferenceUID; empty where its objects have none, or several."""
        uids = {_text(image.elements, "FrameOfReferenceUID") for image in self.images}
        return uids.pop() if len(uids) == 1 else ""

    def line(self, index: int) -> str:
        """Return what a list of series says of this one, the ``index``-th."""
        frames = sum(image.frames for image in self.images)
        first = self.images[0].elements
        return (
            f"#{index} (number {self.number or 'none'}, {self.description or 'no description'!r}, "
            f"{frames} slices of {first.Columns} x {first.Rows}, UID {self.uid or 'none'})"
        )


def find(headers: Sequence[Header], where: Path) -> list[CtSeries]:
    """Return the CT series, by rising number.

    Objects of other kinds, the scanner's overview images (localizers) and pictures of pages without
    a place in space (dose reports) are left out.

    Raises
    ------
    ImageError
        If there is none, or a CT image's header breaks off.
    """
    grouped: dict[tuple[str, str], list[Header]] = {}
    others: set[str] = set()
    for header in headers:
        elements = header.elements
        modality = _text(elements, "Modality")
        is_ct = modality in ("CT", "") and "LOCALIZER" not in (elements.get("ImageType") or ())
        is_ct = is_ct and not _is_page(elements)
        if "Rows" in elements and "Columns" in elements and is_ct:
            uid, number = _text(elements, "SeriesInstanceUID"), _text(elements, "SeriesNumber")
            # The number tells series apart only where the UID, which does, was removed.
            grouped.setdefault((uid, "" if uid else number), []).append(header)
        elif _breaks_off(elements, modality):
            raise ImageError(
                f"{header.source.name} is truncated: its header breaks off",
                received="a CT image, or what may be one, without Rows and Columns",
                accepted="whole DICOM files",
                remedy="copy or export the series again",
            )
        else:
            others.add(
                "CT (overview images or pages only)" if modality == "CT" else modality or "unknown"
            )
    if not grouped:
        raise ImageError(
            f"{where} holds no CT series",
            received=f"DICOM objects of modality {', '.join(sorted(others))}"
            if others
            else "no DICOM image",
            accepted="the slices of a CT as DICOM",
            remedy="pass the folder, zip or files of the CT series",
        )
    found = [
        CtSeries(
            uid=uid,
            number=_text(images[0].elements, "SeriesNumber"),
            description=_text(images[0].elements, "SeriesDescription"),
            images=tuple(images),
        )
        for (uid, _), images in grouped.items()
    ]
    return sorted(found, key=lambda series: (len(series.number), series.number, series.uid))


def choose(found: Sequence[CtSeries], series: str | None, where: Path) -> CtSeries:
    """Return the series that ``series`` names, or the only one.

    Parameters
    ----------
    found
        The series that there are.
    series
        A SeriesInstanceUID, a series number, or ``#N`` for the N-th in the list.
    where
        What was read, for messages.

    Raises
    ------
    ImageError
        If there are several and none is named; the message lists them.
    OptionError
        If ``series`` names none of them, or more than one.
    """
    listed = "; ".join(one.line(index) for index, one in enumerate(found, 1))
    if series is None:
        if len(found) == 1:
            return found[0]
        raise ImageError(
            f"{where} holds several series",
            received=listed,
            accepted="one series",
            remedy="choose one with --series (series=): its UID, its number or #N",
        )
    matching = [
        one
        for index, one in enumerate(found, 1)
        if series in (one.uid, one.number, f"#{index}") and series
    ]
    if len(matching) != 1:
        raise OptionError(
            f"{where}: {len(matching)} series go by that name",
            received=series,
            accepted=listed,
            remedy="name one by its UID, its number or #N",
        )
    return matching[0]


def _is_page(elements: Any) -> bool:
    """Tell whether an object is a picture of a page, which scanners file as CT too."""
    kind = str(elements.get("SOPClassUID") or "")
    return kind.startswith(_SECONDARY_CAPTURE) and not elements.get("ImagePositionPatient")


def _breaks_off(elements: Any, modality: str) -> bool:
    """Tell whether a header without image size is what is left of a CT image's.

    Passing over such a file would lose a slice, at an end of the stack unnoticed.
    """
    if "Rows" in elements and "Columns" in elements:
        return False
    kind = elements.get("SOPClassUID") or elements.file_meta.get("MediaStorageSOPClassUID")
    if not kind and not modality:
        # Nothing says what it is. With a preamble it was meant to be DICOM.
        return elements.preamble is not None
    return modality == "CT" or kind in _CT_CLASSES


def _text(elements: Any, name: str) -> str:
    value = elements.get(name)
    return "" if value is None else str(value).strip()
