"""DICOM RT Structure Sets in: contours filled on the slices of the scan that they were drawn on.

A structure set has contours in millimetres and no grid, so the scan's is asked for. A voxel is
inside where its centre is; of several contours of one structure on one slice, one within another
is a hole. What is no closed contour (points, open lines) has no inside and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import Grid
from voxtrail.errors import ImageError
from voxtrail.io.dicom import labels as dicom_labels
from voxtrail.io.dicom.contours import filled
from voxtrail.io.dicom.element_budget import ElementBudget, unfold
from voxtrail.io.dicom.files import ByteSource, headers, opened, sources
from voxtrail.io.dicom.labels import Choice, StructureItem, text
from voxtrail.io.dicom.stack import LPS_RAS
from voxtrail.io.format import LabelRequest, StoredImage
from voxtrail.io.refusals import reading, refuse_size
from voxtrail.io.structures import listed

#: A larger file is refused: parsed, contours take many times their size in memory (ours).
MAX_BYTES = 256 * 2**20

#: A contour may lie off its slice by this share of the way to the next: numbers are rounded.
_OFF_SLICE = 0.05

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

_CLOSED = ("CLOSED_PLANAR", "CLOSED_PLANAR_XOR")

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
        If no grid is given, the file is damaged or too large, a contour lies on no slice of the
        grid or leaves it or is not closed, structures overlap, or one belongs to another frame of
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
        read_headers = headers(found, only_dicom=len(found) == 1)
        elements = _elements(dicom_labels.header_of(read_headers, path).source)
        choice = dicom_labels.choose(_structures(elements), request, path)
        contours = [
            (choice.label_of[int(drawn.ReferencedROINumber)], drawn)
            for drawn in elements.get("ROIContourSequence") or []
        ]
        contours = [(label, drawn) for label, drawn in contours if label]
        _refuse_open(contours, choice, path)
        voxels = np.zeros(like.shape, np.uint16)
        crossings = 0
        for label, drawn in contours:
            by_slice = _by_slice(drawn, like, path)
            crossings += sum(_rows_crossed(line) for on in by_slice.values() for line in on)
            _refuse_endless(crossings, path)
            for (axis, number), lines in by_slice.items():
                onto = np.moveaxis(voxels, axis, 0)[number]  # (lower, higher) stored axis: a view
                inside = filled(lines, (onto.shape[1], onto.shape[0])).T
                dicom_labels.add(np.where(inside, np.uint16(label), 0), onto, choice.names, path)
        return StoredImage(voxels, like.affine, choice.names)


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


def _refuse_open(contours: Sequence[tuple[int, Any]], choice: Choice, path: Path) -> None:
    """Refuse structures with a contour that has no inside, naming those that have none such."""
    kinds = {
        choice.names.get(label, str(label)): {
            text(one, "ContourGeometricType") or "of no type"
            for one in drawn.get("ContourSequence") or []
        }
        for label, drawn in contours
    }
    broken = {name: found for name, found in kinds.items() if not found <= set(_CLOSED)}
    if broken:
        rest = listed(name for name in kinds if name not in broken)
        raise ImageError(
            f"{path}: contours of {listed(broken)} are not closed, and what is inside is not known",
            received=", ".join(sorted(set().union(*broken.values()).difference(_CLOSED))),
            accepted=f"structures of {' or '.join(_CLOSED)}, here {rest or 'none'}",
            remedy="choose structures with --structures (structures=), or close the contours",
        )


def _elements(source: ByteSource) -> Any:
    import pydicom
    from pydicom.tag import Tag

    if source.size > MAX_BYTES:
        raise ImageError(
            f"{source.name} is too large for a structure set",
            received=f"{source.size / 2**20:.0f} MiB",
            accepted=f"at most {MAX_BYTES / 2**20:.0f} MiB",
            remedy="export fewer structures",
        )
    budget = ElementBudget(source.name)
    with opened(source, budget) as file:
        elements = pydicom.dcmread(file, force=True, specific_tags=list(_ELEMENTS))
        # ContourData as it is undecoded in the file: pydicom would make an object of every number.
        undecoded = frozenset({Tag("ContourData")})
        unfold(elements, budget, frozenset(map(Tag, _ELEMENTS)), undecoded)
        return elements


def _by_slice(drawn: Any, like: Grid, path: Path) -> dict[tuple[int, int], list[FloatArray]]:
    """Return the closed contours of a structure by the stored axis and slice that they lie on.

    Each is (n, 2): voxel indices along the lower-numbered of the other two stored axes, and along
    the higher-numbered one.
    """
    into = np.linalg.inv(like.affine)
    found: dict[tuple[int, int], list[FloatArray]] = {}
    for points_mm in _points(drawn):
        points = (LPS_RAS * points_mm) @ into[:3, :3].T + into[:3, 3]  # voxel indices
        level = points.mean(axis=0)
        off = np.abs(points - np.rint(level)).max(axis=0)
        axis = int(np.argmin(off))
        number = int(np.rint(level[axis]))
        if off[axis] > _OFF_SLICE or not 0 <= number < like.shape[axis]:
            raise ImageError(
                f"{path}: a contour lies on no slice of the scan",
                received=f"points {off[axis]:.3g} slices off slice {number} of axis {axis}",
                accepted=f"contours on slices 0 to {like.shape[axis] - 1}, to {_OFF_SLICE:g} of "
                "the way to the next",
                remedy="name the scan that it was drawn on with --like (like=)",
            )
        others = [one for one in range(3) if one != axis]
        line = points[:, others]
        if line.min() < -1 or (line > np.array(like.shape)[others]).any():
            raise ImageError(
                f"{path}: a contour leaves the scan",
                received=f"voxels {np.floor(line.min(axis=0))} to {np.ceil(line.max(axis=0))}",
                accepted=f"0 to {[like.shape[one] - 1 for one in others]}",
                remedy="name the scan that it was drawn on with --like (like=)",
            )
        found.setdefault((axis, number), []).append(line)
    return found


def _points(drawn: Any) -> Iterator[FloatArray]:
    """Give the points of each contour, all of them closed, (n, 3) LPS mm."""
    for contour in drawn.get("ContourSequence") or []:
        undecoded = contour.get_item("ContourData").value
        if not isinstance(undecoded, bytes):
            raise ValueError("ContourData is not there")
        points = np.array(undecoded.split(b"\\"), dtype=np.float64).reshape(-1, 3)
        if not np.isfinite(points).all():
            raise ValueError("ContourData is not finite")
        yield points


def _rows_crossed(line: FloatArray) -> int:
    return int(np.abs(np.diff(line[:, 1], append=line[:1, 1])).sum()) + len(line)


def _refuse_endless(crossings: int, path: Path) -> None:
    if crossings > _MAX_CROSSINGS:
        raise ImageError(
            f"{path} has contours that wind about without end",
            received=f"over {_MAX_CROSSINGS} crossings of rows of pixels",
            accepted="outlines of structures",
            remedy="export fewer structures",
        )
