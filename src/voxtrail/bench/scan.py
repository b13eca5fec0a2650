"""The synthetic scan that everybody segments, and what is drawn on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import simulate
from voxtrail.preprocess import Window

#: The first, the middle and the last slice; one more, at three quarters; the same one wider than
#: any slice is; or the three with the middle one redrawn.
Drawn = Literal["three", "added", "wider", "redrawn"]

#: Side of the slices in pixels, and voxels in mm: the margin of a crop is 40 pixels.
SIDE = 256
SPACING_MM = (0.5, 0.5, 1.0)
#: Places of the small discs in a grid of three a row: two of them already span the slice.
PLACES = (0, 8, 2, 6, 4, 1, 3, 5, 7)
#: By how many pixels the structure moves from the first slice to the last, and grows.
MOVES, GROWS = 20, 10


def scan_and_prompts(
    slices: int, labels: int, *, spread: bool, drawn: Drawn = "three"
) -> tuple[Volume, Prompts]:
    """Return a scan of bright discs over noise, in Hounsfield units, and the outlines.

    Parameters
    ----------
    slices
        In the scan; each holds every disc.
    labels
        How many discs.
    spread
        Whether they are small and lie apart, so that crops leave most of a slice out. Otherwise
        there is one, and its crop is the whole slice.
    drawn
        What was outlined: label 1 is the one that is corrected.
    """
    grey = np.random.default_rng(0).uniform(0.2, 0.4, (SIDE, SIDE, slices)).astype(np.float32)
    labelled = np.zeros(grey.shape, dtype=np.uint8)
    for index in range(slices):
        way = index / (slices - 1)
        for label in range(1, labels + 1):
            disc = _one_of_many(label, way) if spread else _large(way)
            labelled[disc, index] = label
    grey[labelled > 0] += 0.5
    affine = np.diag([*SPACING_MM, 1.0])
    truth = LabelMap.from_stored(labelled, affine, {})
    # Grey levels that the default window, bone, maps back to what they are.
    window = Window()
    hu = window.level_hu + (grey - np.float32(0.5)) * np.float32(window.width_hu)
    return Volume.from_stored(hu, affine), _corrected(truth, slices, drawn)


def stack_of(volume: Volume) -> NDArray[np.float32]:
    """Return the slices (n, rows, columns) float32, 0 to 1, that voxtrail sees by default."""
    return Window().apply(Axis.AXIAL.to_stack(volume.voxels))


def _large(way: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(rows - 112 - MOVES * way, columns - 114 - MOVES * way)
    return np.asarray(distance < 75 + GROWS * way)


def _one_of_many(label: int, way: float) -> NDArray[np.bool_]:
    """Return one of up to nine discs."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    down, across = divmod(PLACES[label - 1], 3)
    centre = (40 + 80 * down + MOVES * way / 2, 40 + 80 * across + MOVES * way / 2)
    return np.asarray(np.hypot(rows - centre[0], columns - centre[1]) < 20)


def _corrected(truth: LabelMap, slices: int, drawn: Drawn) -> Prompts:
    prompts = simulate(truth, slices="first-middle-last")
    outlines = [one for one in prompts.prompts if isinstance(one, MaskPrompt)]
    own = [one for one in outlines if one.label == 1]
    if drawn == "redrawn":
        middle = sorted(own, key=lambda one: one.slice_index)[1]
        others = [one for one in outlines if one is not middle]
        outlines = [*others, _widened(middle, middle.mask)]
    elif drawn != "three":
        everywhere = simulate(truth, slices=f"uniform:{slices}").of(1)
        (more,) = (one for one in everywhere if one.slice_index == 3 * slices // 4)
        assert isinstance(more, MaskPrompt)
        if drawn == "wider":
            more = _widened(more, np.logical_or.reduce([one.mask for one in own]))
        outlines.append(more)
    return Prompts(tuple(outlines), prompts.stored, prompts.names)


def _widened(outline: MaskPrompt, mask: NDArray[np.bool_]) -> MaskPrompt:
    """Return an outline of ``mask`` and one pixel around it."""
    return replace(outline, mask=ndimage.binary_dilation(mask))
