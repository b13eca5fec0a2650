"""A crop that follows a structure: where the window is on each slice of one axis.

The place comes from what was drawn. A structure that runs obliquely, such as a rib, has a small
section and a large box around all of its sections. In a crop of that box it is a few pixels that
move by their own width from slice to slice. A window of the section's size that moves along shows
it large and in one place.

The session calls this for each label and axis; the cutting itself is `voxtrail.core.crop_path`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, margin_vox
from voxtrail.core.crop_path import CropPath
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import PointPrompt, Prompt
from voxtrail.preprocess.crop import around_prompts, check_margin, extent_of

#: A window follows where the box around all drawn sections has so many times the area of the
#: largest section's box. Chosen on phantoms; docs/decisions says how.
FOLLOW_RATIO = 2.0
#: The margin is a section's own side, within these limits in mm. Chosen on phantoms.
SMALLEST_MARGIN_MM, LARGEST_MARGIN_MM = 5.0, 10.0


@dataclass(frozen=True)
class CropPlan:
    """The window on each slice of one axis, and why it moves or stays.

    Parameters
    ----------
    path
        One window a slice, for all slices of the axis within the bounds.
    follows
        Whether the window moves along with what was drawn.
    why
        One line for the record.
    ratio
        Area of the box around all drawn sections over that of the largest section's box, 1 or
        more; None where no section was drawn on this axis.
    margin_mm
        What the window leaves around each drawn section.
    """

    path: CropPath
    follows: bool
    why: str
    ratio: float | None
    margin_mm: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {**asdict(self), "path": self.path.to_json()}


def plan_crop(
    prompts: Iterable[Prompt],
    axis: Axis,
    grid: Grid,
    bounds: Box,
    margin_mm: float | None = None,
) -> CropPlan:
    """Return the windows for one label on one axis: moving ones where that pays, else one box.

    The window is centred on the box of each section that was drawn; between two sections its
    centre moves on a straight line, beyond the outermost it stays. Its size is that of the largest
    section with the margin. Masks and boxes count as sections. Clicks say too little of a
    section's place and size to be followed; a moving window is made large enough to hold them.

    Parameters
    ----------
    prompts
        All that was drawn of the label, on any axis.
    axis
        The slicing direction.
    grid
        Of the scan, RAS+.
    bounds
        What the windows do not leave: the scan, or the region that a person allows. It holds all
        that was drawn.
    margin_mm
        In the plane of the slices, rounded up to whole voxels; None takes `fitting_margin_mm`.

    Raises
    ------
    PromptError
        If nothing was drawn: no prompt, or empty masks and negative clicks only.
    OptionError
        If the margin is negative or not finite.

    Examples
    --------
    Two outlines of 2 x 2 voxels, four slices and eight voxels apart:

    >>> from voxtrail.core.prompts import BoxPrompt
    >>> drawn = [
    ...     BoxPrompt(1, Axis.AXIAL, 0, (0, 0, 1, 1)),
    ...     BoxPrompt(1, Axis.AXIAL, 4, (8, 0, 9, 1)),
    ... ]
    >>> grid = Grid((12, 12, 5), np.eye(4))
    >>> plan = plan_crop(drawn, Axis.AXIAL, grid, Box.whole(grid.shape), margin_mm=1)
    >>> plan.ratio, plan.path.size, plan.path.starts
    (5.0, (4, 4), ((8, 8), (8, 7), (8, 5), (8, 3), (8, 1)))
    """
    prompts = tuple(prompts)
    sections = sections_on(axis, prompts, grid.shape)
    if margin_mm is None:
        margin_mm = fitting_margin_mm(prompts, grid)
    check_margin(margin_mm)
    ratio = _ratio(sections, axis)
    if ratio is not None and len(sections) > 1 and ratio >= FOLLOW_RATIO:
        path = _following(prompts, sections, axis, grid, bounds, margin_mm)
        why = f"the box around all sections is {ratio:.1f} times the largest section's"
        return CropPlan(path, True, why, ratio, margin_mm)
    box = around_prompts(prompts, grid.shape, grid.spacing_mm, margin_mm).within(bounds)
    path = CropPath.of_box(
        box.with_range(axis, bounds.start[axis.value], bounds.stop[axis.value]), axis
    )
    if ratio is None:
        why = f"nothing but clicks on {axis.label} slices"
    elif len(sections) == 1:
        why = f"one {axis.label} section alone says not where the structure goes"
    else:
        why = f"the box around all sections is only {ratio:.1f} times the largest section's"
    return CropPlan(path, False, why, ratio, margin_mm)


def fitting_margin_mm(prompts: Iterable[Prompt], grid: Grid) -> float:
    """Return a margin that fits the size of what was drawn of a label.

    Parameters
    ----------
    prompts
        All that was drawn of the label, on any axis.
    grid
        Of the scan, RAS+.

    Returns
    -------
    float
        A section's side (the square root of its box' area, the median of all sections), between
        `SMALLEST_MARGIN_MM` and `LARGEST_MARGIN_MM`, which is also the answer where no section
        was drawn.
    """
    sides_mm = []
    for prompt in prompts:
        extent = None if isinstance(prompt, PointPrompt) else extent_of(prompt, grid.shape)
        if extent is not None:
            plane = (prompt.axis.row_axis, prompt.axis.column_axis)
            rows_mm, columns_mm = (extent.shape[along] * grid.spacing_mm[along] for along in plane)
            sides_mm.append((rows_mm * columns_mm) ** 0.5)
    if not sides_mm:
        return LARGEST_MARGIN_MM
    return min(max(float(np.median(sides_mm)), SMALLEST_MARGIN_MM), LARGEST_MARGIN_MM)


def sections_on(axis: Axis, prompts: Iterable[Prompt], shape: Sequence[int]) -> dict[int, Box]:
    """Return the box of what masks and boxes mark on each slice of one axis, by rising slice."""
    sections: dict[int, Box] = {}
    for prompt in prompts:
        if prompt.axis is not axis or isinstance(prompt, PointPrompt):
            continue
        extent = extent_of(prompt, shape)
        if extent is not None:
            known = sections.get(prompt.slice_index, extent)
            sections[prompt.slice_index] = known.joined(extent)
    return dict(sorted(sections.items()))


def _ratio(sections: dict[int, Box], axis: Axis) -> float | None:
    """Return the area of the box around all sections over that of the largest one's box."""
    if not sections:
        return None
    boxes = list(sections.values())
    hull = boxes[0]
    for box in boxes[1:]:
        hull = hull.joined(box)
    areas = [box.shape[axis.row_axis] * box.shape[axis.column_axis] for box in [hull, *boxes]]
    return areas[0] / max(areas[1:])


def _following(
    prompts: Sequence[Prompt],
    sections: dict[int, Box],
    axis: Axis,
    grid: Grid,
    bounds: Box,
    margin_mm: float,
) -> CropPath:
    """Return windows whose centre runs on straight lines through the sections' centres."""
    first, stop = bounds.start[axis.value], bounds.stop[axis.value]
    slices = np.arange(first, stop)
    margin = margin_vox(margin_mm, grid.spacing_mm)
    held = clicks_on(axis, prompts, grid.shape)
    size, starts = [], []
    for along in (axis.row_axis, axis.column_axis):
        # Twice the centres, which are whole numbers on the slices that were drawn.
        drawn = [box.start[along] + box.stop[along] for box in sections.values()]
        twice = np.interp(slices, list(sections), drawn)
        extent = max(box.shape[along] for box in sections.values())
        for box in held:
            centre = twice[box.start[axis.value] - first]
            extent = max(
                extent,
                int(np.ceil(max(2 * box.stop[along] - centre, centre - 2 * box.start[along]))),
            )
        room = bounds.stop[along] - bounds.start[along]
        size.append(min(extent + 2 * margin[along], room))
        starts.append(_starts(twice, size[-1], bounds.start[along], bounds.stop[along]))
    places = tuple((int(row), int(column)) for row, column in zip(*starts, strict=True))
    return CropPath(axis, first, (size[0], size[1]), places)


def _starts(twice: NDArray[np.float64], size: int, low: int, high: int) -> NDArray[np.int64]:
    """Return where windows of one size begin, in whole voxels, given twice their centres."""
    # A hair more, so that a centre that is a whole number but for rounding is not a voxel lower.
    starts = np.floor((twice - size) / 2 + 1e-9).astype(np.int64)
    return starts.clip(low, high - size)


def clicks_on(axis: Axis, prompts: Iterable[Prompt], shape: Sequence[int]) -> list[Box]:
    """Return the boxes of the clicks on the structure, on slices of one axis."""
    extents = (
        extent_of(prompt, shape)
        for prompt in prompts
        if prompt.axis is axis and isinstance(prompt, PointPrompt)
    )
    return [extent for extent in extents if extent is not None]
