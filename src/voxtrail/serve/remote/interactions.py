"""What a client draws, on slices of the RAS+ scan.

Clients send masks of the whole scan or of a box, boxes and points; here it is found out which slice
each was drawn on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Triple, triple
from voxtrail.errors import PromptError
from voxtrail.serve.remote.array_frame import ArrayFrame

#: A scribble with a thick brush reaches over some slices; what reaches over more is none.
MAX_SLICES = 64


@dataclass(frozen=True, eq=False)
class Painted:
    """What is filled on one slice: an outline (a lasso) or a scribble.

    Parameters
    ----------
    axis, slice_index
        Which slice (RAS+ number).
    mask
        (rows, columns) bool of the whole slice, not empty.
    """

    axis: Axis
    slice_index: int
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class SliceBox:
    """A box on one slice; corners in pixels, both belong to it."""

    axis: Axis
    slice_index: int
    box_xyxy: tuple[int, int, int, int]


def painted(
    mask_zyx: NDArray[np.bool_],
    start_zyx: Sequence[int],
    frame: ArrayFrame,
    preferred: Axis | None = None,
) -> tuple[Painted, ...]:
    """Return the slices that a mask is drawn on.

    Parameters
    ----------
    mask_zyx
        Of the whole array, or a part of it.
    start_zyx
        Where the part begins in the array.
    frame
        How arrays lie in the scan.
    preferred
        The direction of slices where several are as likely: of a straight scribble.

    Returns
    -------
    tuple
        Of the direction in which the mask is thinnest; one slice for whatever is drawn on one.

    Raises
    ------
    PromptError
        If nothing is drawn, or it lies on no slice.
    """
    inside = Box.around(mask_zyx)
    if inside is None:
        raise PromptError(
            "nothing is drawn",
            received="an empty mask",
            accepted="a mask with at least one voxel",
            remedy="draw on a slice",
        )
    box = inside.moved(start_zyx)
    if any(n < 0 for n in box.start) or any(
        n > side for n, side in zip(box.stop, frame.shape, strict=True)
    ):
        raise PromptError(
            "what is drawn lies outside the scan",
            received=f"voxels {box.start} to {triple(n - 1 for n in box.stop)}",
            accepted=f"an array of {frame.shape}",
            remedy="draw inside the scan",
        )
    axis = thin_axis(box.shape, frame, preferred)
    if min(box.shape) > MAX_SLICES:
        raise PromptError(
            "what is drawn lies on no slice",
            received=f"a mask over {min(box.shape)} slices at least, in any direction",
            accepted=f"one slice; at most {MAX_SLICES}",
            remedy="draw on one slice, in a view that is not turned",
        )
    part = axis.to_stack(frame.to_scan(mask_zyx[inside.slices]))
    cut = frame.box_in_scan(box).in_stack(axis, frame.scan_shape)
    rows, columns = frame.scan_shape[axis.row_axis], frame.scan_shape[axis.column_axis]
    found = []
    for index, drawn in zip(range(cut[0].start, cut[0].stop), part, strict=True):
        if drawn.any():
            mask = np.zeros((rows, columns), np.bool_)
            mask[cut[1:]] = drawn
            found.append(Painted(axis, index, mask))
    return tuple(found)


def outline(drawn: Sequence[Painted]) -> Painted:
    """Return the only slice that an outline is drawn on.

    Raises
    ------
    PromptError
        If there are several.
    """
    if len(drawn) > 1:
        raise PromptError(
            "an outline is of one slice",
            received=f"a mask over {len(drawn)} {drawn[0].axis.label} slices",
            accepted="one slice, in any of the three directions",
            remedy="draw in a view that shows axial, coronal or sagittal slices of the scan "
            "as it is stored, not turned",
        )
    return drawn[0]


def box_of(bounds: Sequence[Sequence[float]], frame: ArrayFrame) -> Box:
    """Return a box of voxels of the array (z, y, x), cut off at the scan.

    Parameters
    ----------
    bounds
        Along each axis of the array: where it begins, and one past its end; not whole numbers
        where a person drew them.
    frame
        How arrays lie in the scan.

    Raises
    ------
    PromptError
        If these are no box of the scan.
    """
    pairs = [tuple(pair) for pair in bounds]
    if len(pairs) != 3 or any(
        len(pair) != 2 or not all(abs(n) < 2**31 for n in pair) for pair in pairs
    ):
        raise _no_box(bounds, frame)
    starts, stops = [], []
    for (low, high), side in zip(pairs, frame.shape, strict=True):
        start, stop = max(round(low), 0), min(round(high), side)
        if low >= high or start >= side or stop <= 0:
            raise _no_box(bounds, frame)
        starts.append(start)
        # Less than half a voxel wide, it still is somewhere.
        stops.append(max(stop, start + 1))
    return Box(triple(starts), triple(stops))


def slice_box(box_zyx: Box, frame: ArrayFrame, preferred: Axis | None = None) -> SliceBox | None:
    """Return the box on one slice that a box of the array (z, y, x) is; None of several slices."""
    if min(box_zyx.shape) > 1:
        return None
    return on_slice(frame.box_in_scan(box_zyx), thin_axis(box_zyx.shape, frame, preferred), frame)


def middle_slice(box: Box, frame: ArrayFrame) -> SliceBox:
    """Return a box in RAS+ on its middle slice, of those that follow each other along z."""
    axis = frame.axis_of(0)
    middle = (box.start[axis.value] + box.stop[axis.value] - 1) // 2
    return on_slice(box.with_range(axis, middle, middle + 1), axis, frame)


def on_slice(box: Box, axis: Axis, frame: ArrayFrame) -> SliceBox:
    """Return a box in RAS+ as one on the first slice of it."""
    slices, rows, columns = box.in_stack(axis, frame.scan_shape)
    corners = (columns.start, rows.start, columns.stop - 1, rows.stop - 1)
    return SliceBox(axis, slices.start, corners)


def voxel_of(point: Sequence[float], frame: ArrayFrame) -> Triple:
    """Return the voxel (RAS+) of a point in the array (z, y, x).

    Raises
    ------
    PromptError
        If it lies outside the scan.
    """
    inside = len(point) == 3 and all(
        -1 < n < side and 0 <= round(n) < side  # the first is false of what cannot be rounded
        for n, side in zip(point, frame.shape, strict=False)
    )
    if not inside:
        raise PromptError(
            "the point lies outside the scan",
            received=str(list(point))[:100],
            accepted=f"three indices of an array of {frame.shape}",
            remedy="click inside the scan",
        )
    return frame.voxel([round(n) for n in point])


def pixel_of(voxel: Triple, axis: Axis, frame: ArrayFrame) -> tuple[float, float]:
    """Return a voxel's (x, y) on its slice."""
    here = on_slice(Box(voxel, triple(n + 1 for n in voxel)), axis, frame)
    return float(here.box_xyxy[0]), float(here.box_xyxy[1])


def thin_axis(shape_zyx: Triple, frame: ArrayFrame, preferred: Axis | None) -> Axis:
    """Return the direction in which something is thinnest; of several, the preferred or z."""
    axes = [frame.axis_of(along) for along in range(3) if shape_zyx[along] == min(shape_zyx)]
    return preferred if preferred in axes else axes[0]


def _no_box(bounds: object, frame: ArrayFrame) -> PromptError:
    return PromptError(
        "the box is none of this scan",
        received=str(bounds)[:100],
        accepted=f"[from, to) along each axis of an array of {frame.shape}",
        remedy="draw it inside the scan",
    )
