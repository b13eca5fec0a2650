"""What a bone is to the renderer: a shape, where it may lie, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voxtrail.datasets.phantom.shapes import Array, Points, Vec

Shape = Callable[[Points], Array]


@dataclass(frozen=True)
class Bone:
    """One bone of the atlas.

    Attributes
    ----------
    name : str or None
        TotalSegmentator v2 class; None for bones that it does not label (the mandible).
    low, high : Vec
        Corners of a box that holds the bone, atlas mm.
    distance : Shape
        Signed distance, atlas points -> atlas mm, negative inside.
    cortex_mm : float
        Thickness of the compact shell.
    marrow_hu : float
        Mean of the trabecular interior, before the patient's bone quality.
    shaft : Shape or None
        0..1: how far a point belongs to a shaft, with thick cortex and fatty marrow.
    shaft_mm : float
        Cortex that a shaft has on top of `cortex_mm`.
    split : tuple of (str, Shape) or None
        A part of the same solid with a class of its own, where its distance is negative.
    gap_mm : float
        Cartilage kept between this bone and those rendered before it.
    """

    name: str | None
    low: Vec
    high: Vec
    distance: Shape
    cortex_mm: float = 1.7
    marrow_hu: float = 210.0
    shaft: Shape | None = None
    shaft_mm: float = 4.0
    split: tuple[str, Shape] | None = None
    gap_mm: float = 2.0


def side_name(side: int) -> str:
    """'right' for +1, 'left' for -1: x grows towards the patient's right."""
    return "right" if side > 0 else "left"


def side_box(side: int, low: Vec, high: Vec) -> tuple[Vec, Vec]:
    """Mirror a box given for the right side, if `side` is -1."""
    if side > 0:
        return low, high
    return (-high[0], low[1], low[2]), (-low[0], high[1], high[2])
