"""Which part of the scan each label is segmented in: crops, their growth, and each axis' range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt, Prompts
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.core.volume import Volume
from voxtrail.errors import PromptError
from voxtrail.preprocess import around_prompts, parse_roi
from voxtrail.session.config import Config, Extent


@dataclass(frozen=True)
class Region:
    """A crop and the labels that share it.

    Parameters
    ----------
    labels
        Segmented in it.
    box
        The crop in RAS+ voxels; along the slicing axis a label's own `range_along` counts.
    growths
        How many times it has grown.
    """

    labels: tuple[int, ...]
    box: Box
    growths: int = 0


def bounds_of(volume: Volume, prompts: Prompts, config: Config) -> Box:
    """Return the box that nothing leaves: the scan, or the region that a person gave.

    Raises
    ------
    PromptError
        If something was drawn outside that region.
    OptionError
        If the region cannot be cut out of the scan.
    """
    whole = Box.whole(volume.grid.shape)
    if config.roi is None:
        return whole
    bounds = parse_roi(config.roi, volume.stored)
    for prompt in prompts.prompts:
        if _leaves(prompt, bounds, volume):
            frame = SliceFrame.of(volume.stored, prompt.axis)
            raise PromptError(
                f"a prompt of {prompts.name(prompt.label)} lies outside the region",
                received=f"something on {prompt.axis.label} slice "
                f"{frame.slice_number(prompt.slice_index)} (as stored)",
                accepted=f"within --roi {config.roi}",
                remedy="widen --roi or leave the prompt out",
            )
    return bounds


def plan(volume: Volume, prompts: Prompts, config: Config, bounds: Box) -> list[Region]:
    """Return the crops to work in, each with its labels."""
    labels = prompts.labels()
    if config.crop == "none":
        return [Region(labels, bounds)]
    groups = [labels] if config.crop == "all" else [(label,) for label in labels]
    return [
        Region(
            group,
            around_prompts(
                [prompt for label in group for prompt in prompts.of(label)],
                volume.grid.shape,
                volume.grid.spacing_mm,
                config.margin_mm,
            ).within(bounds),
        )
        for group in groups
    ]


def range_along(
    axis: Axis, drawn: Sequence[Prompt], extent: Extent | None, bounds: Box
) -> tuple[int, int, Extent]:
    """Return the slices of one axis that a label is propagated over.

    Parameters
    ----------
    axis
        The slicing axis.
    drawn
        The label's prompts on it; not empty.
    extent
        What was asked for; None decides by the number of prompted slices.
    bounds
        What may be worked on.

    Returns
    -------
    tuple
        First slice, one past the last (RAS+ indices), and the extent that holds.
    """
    indices = [prompt.slice_index for prompt in drawn]
    chosen: Extent = extent or ("prompts" if len(indices) > 1 else "object")
    if chosen == "prompts":
        return min(indices), max(indices) + 1, chosen
    return bounds.start[axis.value], bounds.stop[axis.value], chosen


def ends_of(axis: Axis, drawn: Sequence[Prompt], volume: Volume) -> tuple[int, int]:
    """Return where along one axis all that was drawn of a label begins, and one past its end."""
    grid = volume.grid
    outlined: list[Prompt] = []
    for prompt in drawn:
        if isinstance(prompt, PointPrompt) and any(prompt.positive):
            pairs = zip(prompt.points_xy, prompt.positive, strict=True)
            prompt = _around(prompt, [point for point, positive in pairs if positive])
        outlined.append(prompt)
    hull = around_prompts(outlined, grid.shape, grid.spacing_mm, 0.0)
    return hull.start[axis.value], hull.stop[axis.value]


def in_crop(prompt: Prompt, box: Box, first: int, shape: Sequence[int]) -> tuple[int, Prompt]:
    """Return a prompt's slice number and the prompt itself in the frame of a cropped stack.

    Parameters
    ----------
    prompt
        In the frame of the whole scan's slices.
    box
        The crop.
    first
        RAS+ index of the stack's first slice.
    shape
        Of the scan, RAS+.
    """
    _, rows, columns = box.in_stack(prompt.axis, shape)
    index = prompt.slice_index - first
    if isinstance(prompt, MaskPrompt):
        return index, MaskPrompt(prompt.label, prompt.axis, index, prompt.mask[rows, columns])
    left, top = columns.start, rows.start
    if isinstance(prompt, BoxPrompt):
        x0, y0, x1, y1 = prompt.box_xyxy
        box_xyxy = (x0 - left, y0 - top, x1 - left, y1 - top)
        return index, BoxPrompt(prompt.label, prompt.axis, index, box_xyxy)
    points = tuple((x - left, y - top) for x, y in prompt.points_xy)
    return index, PointPrompt(prompt.label, prompt.axis, index, points, prompt.positive)


def _leaves(prompt: Prompt, bounds: Box, volume: Volume) -> bool:
    """Tell whether anything that was drawn, clicks off the structure included, is out of bounds."""
    along = prompt.axis.value
    if not bounds.start[along] <= prompt.slice_index < bounds.stop[along]:
        return True
    if isinstance(prompt, MaskPrompt) and not prompt.mask.any():
        return False
    if isinstance(prompt, PointPrompt):
        prompt = _around(prompt, prompt.points_xy)
    marked = around_prompts([prompt], volume.grid.shape, volume.grid.spacing_mm, 0.0)
    return not bounds.contains(marked)


def _around(prompt: PointPrompt, points_xy: Sequence[tuple[float, float]]) -> BoxPrompt:
    """Return the box around some of the clicks: where they are, without the margin of a click."""
    xs, ys = zip(*points_xy, strict=True)
    corners = (min(xs), min(ys), max(xs), max(ys))
    return BoxPrompt(prompt.label, prompt.axis, prompt.slice_index, corners)
