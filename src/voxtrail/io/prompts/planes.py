"""On which slices a label map was outlined: of one plane, or of several that cross.

A label map of outlines does not say in which plane they were drawn. It shows: outlined slices are
few, and every filled voxel lies on one of them. What shows nothing (a structure that is filled all
through) is taken as axial where axial slices are the fewest, or as the caller says; anything else
is refused with the counts, since the wrong plane would give wrong outlines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.errors import PromptError

#: Slices of a plane are few where every other choice takes so many times more.
_FEWER = 2

#: The slices of each plane on which a label was outlined.
Outlined = dict[Axis, tuple[int, ...]]


def outlined(mask: NDArray[np.bool_]) -> Outlined | None:
    """Return the slices on which a label was outlined; None where they cannot be told.

    Parameters
    ----------
    mask
        (i, j, k) bool in RAS+ order, not empty: where the label map has the label.

    Examples
    --------
    Two sagittal outlines, and an axial one that crosses a coronal one:

    >>> mask = np.zeros((9, 9, 9), bool)
    >>> mask[2, 1:8, 1:8] = mask[6, 1:8, 1:8] = True
    >>> outlined(mask)
    {<Axis.SAGITTAL: 0>: (2, 6)}
    >>> mask[:] = False
    >>> mask[1:8, 1:8, 4] = mask[1:8, 3, 1:8] = True
    >>> outlined(mask)
    {<Axis.CORONAL: 1>: (3,), <Axis.AXIAL: 2>: (4,)}
    """
    box = Box.around(mask)
    assert box is not None  # the caller passes labels that occur
    inside = mask[box.slices]
    filled = {axis: _filled(inside, axis) for axis in Axis}
    apart = [axis for axis, slices in filled.items() if (np.diff(slices) > 1).all()]
    # A structure that is one voxel wide lies on one slice of another plane by itself.
    several = [axis for axis in apart if len(filled[axis]) > 1]
    if len(several or apart) == 1:
        # Slices that are never neighbours: a body is not cut so in the planes it was not drawn in.
        (axis,) = several or apart
        return {axis: _placed(filled[axis], box, axis)}
    limit = min(map(len, filled.values()))
    found = _fewest(inside, limit)
    if found is None:
        return None
    taken = sum(map(len, found.values()))
    others = [len(slices) for axis, slices in filled.items() if axis not in found or len(found) > 1]
    if taken * _FEWER > min(others):
        return None
    return {axis: _placed(found[axis], box, axis) for axis in Axis if axis in found}


def decide(
    masks: Mapping[int, NDArray[np.bool_]], planes: Sequence[Axis], path: object
) -> dict[int, Outlined]:
    """Return the outlined slices of every label of a map.

    Parameters
    ----------
    masks
        By label: (i, j, k) bool in RAS+ order, none of them empty.
    planes
        The planes in which outlines were drawn where the map does not tell, by preference; none
        means that nobody said.
    path
        The file, for messages.

    Raises
    ------
    PromptError
        If the plane of a label cannot be told and nobody said it; with the counts of each plane.
    """
    told = {label: outlined(mask) for label, mask in masks.items()}
    # What the labels that tell agree on holds for those that do not.
    agreed = {axis for found in told.values() if found for axis in found}
    found: dict[int, Outlined] = {}
    for label, slices in told.items():
        found[label] = slices or _open(masks[label], agreed, planes, f"{path}, label {label}")
    return found


def _open(
    mask: NDArray[np.bool_], agreed: set[Axis], planes: Sequence[Axis], what: str
) -> Outlined:
    counts = {axis: len(_filled(mask, axis)) for axis in Axis}
    fewest = min(counts.values())
    if planes:
        chosen = min(planes, key=lambda axis: counts[axis])
    elif len(agreed) == 1:
        (chosen,) = agreed
    elif counts[Axis.AXIAL] == fewest:
        chosen = Axis.AXIAL
    else:
        listed = ", ".join(f"{counts[axis]} {axis.label}" for axis in reversed(Axis))
        raise PromptError(
            f"{what}: the plane in which it was outlined cannot be told",
            received=f"voxels on {listed} slices",
            accepted="few filled slices in the plane of drawing, or the plane by name",
            remedy="name it with --axes (planes=), for example --axes "
            + min(Axis, key=lambda axis: counts[axis]).label,
        )
    return {chosen: tuple(int(n) for n in _filled(mask, chosen))}


def _fewest(mask: NDArray[np.bool_], limit: int) -> dict[Axis, NDArray[np.intp]] | None:
    """Return few slices that hold all of a mask; None where that takes more than ``limit``.

    Always the slice that holds most of what is left: an outlined slice holds all of its outline,
    and any other slice only where it crosses some.
    """
    left = mask.copy()
    found: dict[Axis, list[int]] = {}
    for _ in range(limit):
        fills = {axis: np.count_nonzero(left, axis=_others(axis)) for axis in Axis}
        axis = max(Axis, key=lambda one: (int(fills[one].max()), one.value))
        number = int(fills[axis].argmax())
        found.setdefault(axis, []).append(number)
        np.moveaxis(left, axis.value, 0)[number] = False
        if not left.any():
            return {axis: np.array(sorted(numbers)) for axis, numbers in found.items()}
    return None


def _filled(mask: NDArray[np.bool_], axis: Axis) -> NDArray[np.intp]:
    """Return the numbers of the slices on which a mask is."""
    return np.flatnonzero(mask.any(axis=_others(axis)))


def _others(axis: Axis) -> tuple[int, int]:
    first, second = (one.value for one in Axis if one is not axis)
    return first, second


def _placed(slices: NDArray[np.intp], box: Box, axis: Axis) -> tuple[int, ...]:
    return tuple(int(number) + box.start[axis.value] for number in slices)
