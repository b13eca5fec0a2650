"""Masks as run lengths, the form in which a prompts file holds them.

`counts` are the lengths of the runs of equal pixels, x fastest, of which the first is one of
zeros (its length may be 0). This is the form of COCO, with x and y instead of rows and columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import PromptError


def encode(mask_xy: NDArray[np.bool_]) -> dict[str, Any]:
    """Return an (x, y) mask as plain JSON values.

    Examples
    --------
    >>> encode(np.array([[True, False], [True, False], [False, True]]))
    {'shape_xy': [3, 2], 'counts': [0, 2, 3, 1]}
    """
    flat = mask_xy.ravel(order="F")  # x fastest
    # Where a run starts; a mask that begins with a one starts with an empty run of zeros.
    starts = np.flatnonzero(np.diff(flat, prepend=False))
    counts = np.diff(np.concatenate(([0], starts, [flat.size])))
    return {"shape_xy": list(mask_xy.shape), "counts": counts.tolist()}


def decode(rle: Any, shape_xy: tuple[int, int], where: str) -> NDArray[np.bool_]:
    """Return the mask that `encode` wrote.

    Parameters
    ----------
    rle
        A parsed JSON value.
    shape_xy
        The size that the mask must have.
    where
        Which prompt it belongs to, for messages.

    Returns
    -------
    (x, y) bool

    Raises
    ------
    PromptError
        If it is no such object, of another size, or its run lengths do not add up.

    Examples
    --------
    >>> decode({"shape_xy": [3, 2], "counts": [0, 2, 3, 1]}, (3, 2), "here").astype(int)
    array([[1, 0],
           [1, 0],
           [0, 1]])
    """
    accepted = '{"shape_xy": [nx, ny], "counts": [zeros, ones, zeros, ...]}'
    remedy = "write the mask's runs, x fastest, beginning with the zeros"
    if not isinstance(rle, dict) or set(rle) != {"shape_xy", "counts"}:
        received = f"the keys {sorted(rle)}" if isinstance(rle, dict) else type(rle).__name__
        raise PromptError(
            f"mask_rle of {where} is not an object of shape_xy and counts",
            received=received,
            accepted=accepted,
            remedy=remedy,
        )
    if rle["shape_xy"] != list(shape_xy):
        raise PromptError(
            f"mask_rle of {where} has the wrong size",
            received=f"shape_xy {str(rle['shape_xy'])[:80]}",
            accepted=f"[{shape_xy[0]}, {shape_xy[1]}], the scan's voxels along x and y",
            remedy="draw the prompts on this scan",
        )
    counts = rle["counts"]
    # type() rather than isinstance: true and false are integers to Python.
    if not isinstance(counts, list) or any(type(n) is not int or n < 0 for n in counts):
        raise PromptError(
            f"counts of mask_rle of {where} are not run lengths",
            received=str(counts)[:80],
            accepted="a list of whole numbers from 0 on",
            remedy=remedy,
        )
    size = shape_xy[0] * shape_xy[1]
    if sum(counts) != size:
        raise PromptError(
            f"counts of mask_rle of {where} do not add up",
            received=f"runs of {sum(counts)} pixels in all",
            accepted=f"{size} = {shape_xy[0]} x {shape_xy[1]}",
            remedy=remedy,
        )
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(shape_xy, order="F")  # (x, y)
