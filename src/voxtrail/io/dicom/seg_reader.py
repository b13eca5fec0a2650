"""DICOM Segmentations in: binary, label map, or fractional where every fraction is all or none.

Every frame has a place of its own, and those without a voxel of the segment are mostly left out.
So the grid that is read runs from the lowest frame to the highest; what lies between two frames is
empty. On the scan's grid (``like``) frames are numbered by the scan's own slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import range_of
from voxtrail.core.grid import Grid
from voxtrail.core.layers import Cut, LabelLayers
from voxtrail.errors import ImageError
from voxtrail.io.dicom import labels as dicom_labels
from voxtrail.io.dicom.files import Header, headers, sources
from voxtrail.io.dicom.frames import FrameHeader, frames_of
from voxtrail.io.dicom.labels import Choice, StructureItem, text
from voxtrail.io.dicom.pixels import frames_at
from voxtrail.io.dicom.stack import (
    LPS_RAS,
    SAME_PLACE_MM,
    TILT_DEGREES,
    affine_of,
    allowed_off_mm,
    refuse_mixed,
)
from voxtrail.io.format import LabelRequest, StoredImage
from voxtrail.io.refusals import reading, refuse_size

#: What is read of the header, besides what says where frames lie.
_ELEMENTS = (
    "SegmentationType",
    "SegmentSequence",
    "SegmentNumber",
    "SegmentLabel",
    "SegmentDescription",
    "MaximumFractionalValue",
)

FloatArray = NDArray[np.float64]


def read(path: Path, request: LabelRequest) -> StoredImage:
    """Read a segmentation.

    Parameters
    ----------
    path
        The file, or a zip that holds it.
    request
        What is asked of it.

    Returns
    -------
    StoredImage
        uint16 (column, row, slice), slices by rising position along the normal, from the lowest
        frame to the highest; with the segments' names.

    Raises
    ------
    ImageError
        If it is damaged or too large, its frames do not lie on evenly spaced parallel planes, it
        is fractional, or it belongs to another frame of reference.
    OptionError
        If a structure is asked for that it does not have.
    """
    with sources([path]) as found, reading(path, "DICOM"):
        read_headers = headers(found, only_dicom=len(found) == 1, further=_ELEMENTS)
        header = dicom_labels.header_of(read_headers, path)
        choice = dicom_labels.choose(_structures(header), request, path)
        frames = list(frames_of(header))
        refuse_mixed(frames, path)
        step = _step(frames, header, request.like, path)
        planes, lowest = _planes(frames, step, request.like, path)
        shape = (frames[0].columns, frames[0].rows, int(planes.max()) + 1)
        # Frames that are left out take no room in the file, so it says nothing of the size.
        itemsize = np.dtype(np.uint16).itemsize
        refuse_size(shape, itemsize, path, max_bytes=request.max_bytes, file_holds=None)
        layers = LabelLayers(shape[::-1])  # (slice, row, column)
        if (text(header.elements, "SegmentationType") or "LABELMAP") == "LABELMAP":
            _add_label_map(layers, header, planes, choice, path)
        else:
            _add_segments(layers, header, planes, choice, path)
        first, *further = (layer.transpose(2, 1, 0) for layer in layers.arrays)
        affine = affine_of(lowest, step)
        return StoredImage(first, affine, choice.names, further=tuple(further))


def _structures(header: Header) -> list[StructureItem]:
    segments = header.elements.get("SegmentSequence") or []
    frame_of_reference = text(header.elements, "FrameOfReferenceUID")
    found = [
        StructureItem(
            int(one.SegmentNumber),
            text(one, "SegmentLabel"),
            text(one, "SegmentDescription"),
            frame_of_reference,
        )
        for one in segments
    ]
    # In a label map the background may be described too, as segment 0.
    return [one for one in found if one.number != 0]


def _step(
    frames: Sequence[FrameHeader], header: Header, like: Grid | None, path: Path
) -> FloatArray:
    """Return the way from one slice to the next, (3,) LPS mm."""
    normal = frames[0].normal
    ways = [] if like is None else list((LPS_RAS[:, None] * like.affine[:3, :3]).T)
    for way in ways:
        along = float(way @ normal)
        if _degrees(abs(along) / float(np.linalg.norm(way))) <= TILT_DEGREES:
            return np.asarray(way * np.sign(along))
    heights = np.unique([float(frame.position_mm @ normal) for frame in frames])
    gaps = np.diff(heights)
    gaps = gaps[gaps > SAME_PLACE_MM]
    spacing = _stated_spacing(header) or (float(gaps.min()) if gaps.size else None)
    if spacing is None:
        raise ImageError(
            f"{path} has frames on one plane and does not say how far slices are apart",
            received="no SpacingBetweenSlices",
            accepted="frames on two planes, or their spacing",
            remedy=_name_scan(like),
        )
    low, high = (
        end(frames, key=lambda frame: float(frame.position_mm @ normal)) for end in (min, max)
    )
    way = high.position_mm - low.position_mm
    slices = round(float(way @ normal) / spacing)
    if slices < 1:
        return np.asarray(normal * spacing)
    tilt = _degrees(float(way @ normal) / float(np.linalg.norm(way)))
    if tilt > TILT_DEGREES:
        raise ImageError(
            f"{path}: its frames are shifted along each other",
            received=f"a tilt of {tilt:.2f} degrees",
            accepted=f"frames above each other, to {TILT_DEGREES} degrees",
            remedy=_name_scan(like),
        )
    return np.asarray(way / slices)


def _stated_spacing(header: Header) -> float | None:
    stated = abs(float(header.value("SpacingBetweenSlices", 0) or 0))
    return stated if np.isfinite(stated) and stated > SAME_PLACE_MM else None


def _planes(
    frames: Sequence[FrameHeader], step: FloatArray, like: Grid | None, path: Path
) -> tuple[NDArray[np.intp], FrameHeader]:
    """Return each frame's slice, counted from the lowest frame, and that frame."""
    normal = frames[0].normal
    lowest = min(frames, key=lambda frame: float(frame.position_mm @ normal))
    ways = np.array([frame.position_mm for frame in frames]) - lowest.position_mm
    planes = np.rint(ways @ normal / float(step @ normal))
    off = np.linalg.norm(ways - planes[:, None] * step, axis=1)
    if off.max() > allowed_off_mm(step):
        worst = int(np.argmax(off))
        raise ImageError(
            f"{path}: its frames do not lie on evenly spaced slices",
            received=f"frame {worst + 1} is {off.max():.4g} mm off a slice, where slices are "
            f"{float(np.linalg.norm(step)):.4g} mm apart",
            accepted="frames on the slices of one even stack",
            remedy=_name_scan(like),
        )
    return planes.astype(np.intp), lowest


def _add_label_map(
    layers: LabelLayers, header: Header, planes: NDArray[np.intp], choice: Choice, path: Path
) -> None:
    """Add frames whose values are segments' numbers."""
    label_of = choice.label_of
    known = np.zeros(max(label_of, default=0) + 1, np.uint16)
    known[list(label_of)] = list(label_of.values())
    (onto,) = layers.arrays
    values_of_frames = frames_at(header.source, range(len(planes)))
    for plane, values in zip(planes, values_of_frames, strict=True):
        if values.max() >= len(known):
            raise _undescribed(path, int(values.max()))
        labels = known[values]
        onto[plane][labels > 0] = labels[labels > 0]


def _add_segments(
    layers: LabelLayers, header: Header, planes: NDArray[np.intp], choice: Choice, path: Path
) -> None:
    """Add frames of one segment each, segment by segment, which may share voxels."""
    frames_of_segment: dict[int, list[int]] = {}
    for frame in range(len(planes)):
        number = int(header.value("ReferencedSegmentNumber", frame))
        if number not in choice.label_of:
            raise _undescribed(path, number)
        frames_of_segment.setdefault(number, []).append(frame)
    kind = text(header.elements, "SegmentationType")
    whole = int(header.elements.get("MaximumFractionalValue") or 1) if kind != "BINARY" else 1
    for number, frames in frames_of_segment.items():
        label = choice.label_of[number]
        if not label:
            continue
        pieces: list[tuple[Cut, NDArray[np.bool_]]] = []
        for frame, values in zip(frames, frames_at(header.source, frames), strict=True):
            inside = values == whole
            if np.count_nonzero(values) != np.count_nonzero(inside):
                raise ImageError(
                    f"{path} holds fractions, and a label map has whole voxels",
                    received=f"values up to {int(values.max())} of {whole}, type {kind}",
                    accepted="a segmentation of type BINARY or LABELMAP",
                    remedy="export it as binary, with the threshold that you mean",
                )
            rows, columns = range_of(inside, 0), range_of(inside, 1)
            if rows and columns:
                cut = (slice(*rows), slice(*columns))
                pieces.append(((int(planes[frame]), *cut), inside[cut].copy()))
        layers.add(label, pieces)


def _undescribed(path: Path, number: int) -> ImageError:
    return ImageError(
        f"{path} has voxels of a segment that it does not describe",
        received=f"segment {number}",
        accepted="the segments in its SegmentSequence",
        remedy="export the segmentation again",
    )


def _degrees(cosine: float) -> float:
    return float(np.degrees(np.arccos(min(1.0, cosine))))


def _name_scan(like: Grid | None) -> str:
    """Return what to do about frames that are no even stack by themselves."""
    if like is None:
        return "name the scan that was labelled with --like (like=)"
    return "pass the scan that was labelled, or export the segmentation again"
