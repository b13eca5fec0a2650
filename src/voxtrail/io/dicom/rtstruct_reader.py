"""DICOM RT Structure Sets in: contours filled on the slices of the scan that they were drawn on.

A structure set has contours in millimetres and no grid, so the scan's is asked for. A voxel is
inside where its centre is; of several contours of one structure on one slice, one within another
is a hole. What leaves the scan is cut off and points are left out, with notes. An open line has no
inside and is refused. Which slice a contour is on is told by `voxtrail.io.dicom.placed_contours`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.layers import Cut, LabelLayers
from voxtrail.core.provenance import Provenance
from voxtrail.errors import ImageError
from voxtrail.io.dicom import labels as dicom_labels
from voxtrail.io.dicom.contours import filled
from voxtrail.io.dicom.element_budget import ElementBudget, unfold
from voxtrail.io.dicom.files import ByteSource, headers, opened, sources
from voxtrail.io.dicom.frame_values import items_of
from voxtrail.io.dicom.labels import Choice, StructureItem, text
from voxtrail.io.dicom.placed_contours import off_slices, placed
from voxtrail.io.format import LabelRequest, StoredImage
from voxtrail.io.refusals import MAX_MM, reading, refuse_size
from voxtrail.io.structures import listed

#: A larger file is refused: parsed, contours take many times their size in memory (ours).
MAX_BYTES = 256 * 2**20

#: Contours may cross so many rows of pixels in all; a body's take some millions (ours).
_MAX_CROSSINGS = 100_000_000

#: What is read of the file.
_ELEMENTS = (
    "SpecificCharacterSet",
    "StructureSetROISequence",
    "ROINumber",
    "ROIName",
    "ROIDescription",
    "ReferencedFrameOfReferenceUID",
    "ROIContourSequence",
    "ReferencedROINumber",
    "ContourSequence",
    "ContourGeometricType",
    "ContourData",
)

#: Closed contours; of those of one structure on a slice, one within another is a hole. The second
#: is the standard's spelling of contours that are combined so (PS3.3 C.8.8.6.1), the third one that
#: others write.
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR")

#: ROIContourSequence.
_CONTOURS = 0x30060039

FloatArray = NDArray[np.float64]


def read(path: Path, request: LabelRequest) -> StoredImage:
    """Read the structures as labels on a scan's grid.

    Parameters
    ----------
    path
        The file, or a zip that holds it.
    request
        What is asked of it; ``like`` is needed.

    Returns
    -------
    StoredImage
        uint16 on the scan's grid, with the structures' names.

    Raises
    ------
    ImageError
        If no grid is given, the file is damaged or too large, contours lie on no slice of
        the grid or are not closed, none lies on the scan, or one belongs to another frame of
        reference.
    OptionError
        If a structure is asked for that it does not have.
    """
    like = request.like
    if like is None:
        raise ImageError(
            f"{path} has contours and no grid of voxels",
            received="a DICOM RT Structure Set by itself",
            accepted="one with the scan that it was drawn on",
            remedy="name the scan with --like (like=)",
        )
    itemsize = np.dtype(np.uint16).itemsize
    refuse_size(like.shape, itemsize, path, max_bytes=request.max_bytes, file_holds=None)
    with sources([path]) as found, reading(path, "DICOM"):
        read_headers = headers(found, only_dicom=len(found) == 1, kind_only=True)
        source = dicom_labels.header_of(read_headers, path).source
        with _opened(source) as (elements, regions):
            choice = dicom_labels.choose(_structures(elements), request, path)
            drawn = [
                _Drawn(choice.label_of[number], _kinds(region), list(_points(region)))
                for number, region in regions
                if choice.label_of.get(number)
            ]
        drawn, notes = _with_inside(drawn, choice, request, path)
        layers = LabelLayers(like.shape)
        crossings, beyond = 0, 0
        placements = []
        for one in drawn:
            name = choice.names.get(one.label, str(one.label))
            on_slices = placed(one.lines, like, path, name)
            placements.append(on_slices)
            notes += on_slices.notes(name)
            beyond += not on_slices.by_slice and bool(one.lines)
            pieces: list[tuple[Cut, NDArray[np.bool_]]] = []
            for (axis, number), lines in on_slices.by_slice.items():
                low, high = (like.shape[other] for other in range(3) if other != axis)
                crossings += sum(_rows_crossed(line, high) for line in lines)
                _refuse_endless(crossings, path)
                cut: list[int | slice] = [slice(None)] * 3
                cut[axis] = number
                # (lower, higher) stored axis
                pieces.append((tuple(cut), filled(lines, (high, low)).T))
            empty = sum(not mask.any() for _, mask in pieces)
            if empty:
                notes.append(f"{name}: on {empty} slices no voxel's centre is within its contours")
            layers.add(one.label, pieces)
        if drawn and beyond == len(drawn):
            raise _elsewhere(path)
        notes += off_slices(placements)
        first, *further = layers.arrays
        provenance = Provenance(notes=tuple(notes))
        return StoredImage(
            first, like.affine, choice.names, provenance, like.header, tuple(further)
        )


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The contours of one structure.

    Parameters
    ----------
    label
        Its label.
    kinds
        Which types of contours it has.
    lines
        (n, 3) each, LPS mm.
    """

    label: int
    kinds: frozenset[str]
    lines: list[FloatArray]


def _structures(elements: Any) -> list[StructureItem]:
    return [
        StructureItem(
            int(one.ROINumber),
            text(one, "ROIName"),
            text(one, "ROIDescription"),
            text(one, "ReferencedFrameOfReferenceUID"),
        )
        for one in elements.get("StructureSetROISequence") or []
    ]


def _with_inside(
    drawn: Sequence[_Drawn], choice: Choice, request: LabelRequest, path: Path
) -> tuple[list[_Drawn], list[str]]:
    """Return the structures that have an inside, and notes of points that were left out.

    Raises
    ------
    ImageError
        If a structure has a contour that is not closed; names those that have none such. Points,
        such as an isocentre, are left out unless they were asked for by name.
    """
    names = {one.label: choice.names.get(one.label, str(one.label)) for one in drawn}
    points = [one for one in drawn if one.kinds == {"POINT"} and not request.structures]
    rest = [one for one in drawn if one not in points]
    broken = [one for one in rest if not one.kinds <= set(_CLOSED)]
    if broken:
        kinds = set().union(*(one.kinds for one in broken)).difference(_CLOSED)
        whole = listed(names[one.label] for one in rest if one not in broken)
        of = listed(names[one.label] for one in broken)
        raise ImageError(
            f"{path}: contours of {of} are not closed, and what is inside is not known",
            received=", ".join(sorted(kinds)),
            accepted=f"structures of {' or '.join(_CLOSED)}, here {whole or 'none'}",
            remedy="choose structures with --structures (structures=), or close the contours",
        )
    return rest, [
        f"{names[one.label]}: a point, which has no inside, was left out" for one in points
    ]


def _kinds(region: Any) -> frozenset[str]:
    contours = region.get("ContourSequence") or []
    return frozenset(text(one, "ContourGeometricType") or "of no type" for one in contours)


@contextmanager
def _opened(source: ByteSource) -> Iterator[tuple[Any, Iterator[tuple[int, Any]]]]:
    """Give what a structure set says of its structures, and the contours of one after the other.

    Each structure's contours are parsed by themselves, so that memory holds those of one.
    """
    from pydicom.filereader import read_partial
    from pydicom.tag import Tag

    if source.size > MAX_BYTES:
        raise ImageError(
            f"{source.name} is too large for a structure set",
            received=f"{source.size / 2**20:.0f} MiB",
            accepted=f"at most {MAX_BYTES / 2**20:.0f} MiB",
            remedy="export fewer structures",
        )
    budget = ElementBudget(source.name)
    wanted = frozenset(map(Tag, _ELEMENTS))
    met: list[int] = []

    def stop(tag: int, vr: str | None, length: int) -> bool:
        if tag == _CONTOURS:
            met.append(tag)
        return tag >= _CONTOURS

    def regions() -> Iterator[tuple[int, Any]]:
        # ContourData as it is spelled in the file: pydicom would make an object of every number.
        undecoded = frozenset({Tag("ContourData")})
        for item in items_of(file, elements, budget) if met else ():
            unfold(item, budget, wanted, undecoded)
            yield int(item.ReferencedROINumber), item

    with opened(source, budget) as file:
        elements = read_partial(
            cast("Any", file), stop_when=stop, force=True, specific_tags=list(wanted)
        )
        unfold(elements, budget, wanted)
        yield elements, regions()


def _points(region: Any) -> Iterator[FloatArray]:
    """Give the points of each contour, (n, 3) LPS mm."""
    for contour in region.get("ContourSequence") or []:
        undecoded = contour.get_item("ContourData").value
        if not isinstance(undecoded, bytes):
            raise ValueError("ContourData is not there")
        points = np.array(undecoded.split(b"\\"), dtype=np.float64).reshape(-1, 3)
        if not np.isfinite(points).all() or np.abs(points).max() > MAX_MM:
            raise ValueError("ContourData is not finite")
        yield points


def _rows_crossed(line: FloatArray, rows: int) -> int:
    within = np.clip(line[:, 1], -1, rows)
    return int(np.abs(np.diff(within, append=within[:1])).sum()) + len(line)


def _refuse_endless(crossings: int, path: Path) -> None:
    if crossings > _MAX_CROSSINGS:
        raise ImageError(
            f"{path} has contours that wind about without end",
            received=f"over {_MAX_CROSSINGS} crossings of rows of pixels",
            accepted="outlines of structures",
            remedy="export fewer structures",
        )


def _elsewhere(path: Path) -> ImageError:
    return ImageError(
        f"{path}: no contour lies on a slice of the scan",
        received="contours beyond the scan alone",
        accepted="contours on the scan that they were drawn on",
        remedy="name the scan that it was drawn on",
    )
