"""Which part of the scan each label is segmented in: crops, their growth, and each axis' range.

A crop is state: it begins around what was drawn and from then on only grows, in whole steps of its
margin. So an outline that is added or widened inside it changes no slice's content, and everything
that was encoded or segmented there is found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Side, margin_vox
from voxtrail.core.crop_path import CropPath
from voxtrail.core.prompts import BoxPrompt, PointPrompt, Prompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.preprocess import MARGIN_MM, around_prompts, parse_roi
from voxtrail.preprocess.follow import plan_crop
from voxtrail.preprocess.reroute import rerouted
from voxtrail.session.config import Config, Extent

#: A crop that a predicted mask touches grows, and that part is run again, at most so often.
MAX_GROWTHS = 2
#: What has to lie between an outline and the border of a crop that was made before it was drawn,
#: as a share of the margin: with less, the crop grows.
HELD_MARGIN = 0.5


@dataclass(frozen=True)
class Crop:
    """Where some labels are segmented.

    Parameters
    ----------
    labels
        Those that share it.
    paths
        For each axis that is propagated along: the windows of all slices within the bounds. Along
        the slicing axis a label's own `range_along` counts.
    margin_mm
        What it left around what was drawn when it was made.
    growths
        How many times it has grown because a mask touched its border.
    why
        Of a crop that may follow: for each axis, why it does or does not.
    """

    labels: tuple[int, ...]
    paths: Mapping[Axis, CropPath]
    margin_mm: float
    growths: int = 0
    why: Mapping[Axis, str] = field(default_factory=dict)

    def grown(self, by_vox: Sequence[int], sides: set[Side], bounds: Box) -> Crop:
        """Return the crop made larger on some sides, as far as ``bounds`` reaches."""
        paths = {axis: path.grown(by_vox, sides, bounds) for axis, path in self.paths.items()}
        return replace(self, paths=paths)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "labels": list(self.labels),
            "margin_mm": self.margin_mm,
            "growths": self.growths,
            "why": {axis.label: why for axis, why in self.why.items()},
            "paths": [path.to_json() for path in self.paths.values()],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Crop:
        """Return the crop that `to_json` wrote."""
        paths = [CropPath.from_json(one) for one in values["paths"]]
        labels = tuple(int(label) for label in values["labels"])
        return cls(
            labels,
            {path.axis: path for path in paths},
            float(values["margin_mm"]),
            int(values["growths"]),
            {Axis.named(axis): str(why) for axis, why in values["why"].items()},
        )


def bounds_of(volume: Volume, config: Config) -> Box:
    """Return the box that nothing leaves: the scan, or the region that a person gave.

    Raises
    ------
    OptionError
        If the region cannot be cut out of the scan.
    """
    if config.roi is None:
        return Box.whole(volume.grid.shape)
    return parse_roi(config.roi, volume.stored)


def plan(
    volume: Volume,
    prompts: Prompts,
    config: Config,
    bounds: Box,
    held: Mapping[tuple[int, ...], Crop] | None = None,
) -> list[Crop]:
    """Return the crops to work in, each with its labels.

    Parameters
    ----------
    volume, prompts, config
        What is segmented, and how.
    bounds
        What nothing leaves.
    held
        Crops that were made before, by their labels. They are kept, and grow where something was
        drawn outside them or less than `HELD_MARGIN` of the margin inside.
    """
    labels = prompts.labels()
    groups = [labels] if config.crop in ("all", "none") else [(label,) for label in labels]
    return [_crop(volume, prompts, config, bounds, group, held or {}) for group in groups]


def _crop(
    volume: Volume,
    prompts: Prompts,
    config: Config,
    bounds: Box,
    labels: tuple[int, ...],
    held: Mapping[tuple[int, ...], Crop],
) -> Crop:
    axes = [Axis.named(name) for name in config.axes]
    if config.crop == "none":
        return Crop(labels, {axis: CropPath.of_box(bounds, axis) for axis in axes}, 0.0)
    drawn = [prompt for label in labels for prompt in prompts.of(label)]
    crop = next((one for of, one in held.items() if {*of} & {*labels}), None)
    if crop is None or not _usable(crop, axes, bounds):
        return _first_crop(volume, drawn, config, bounds, labels)
    # A click says where the structure is; the margin of a first click is not asked for again.
    bare = [_as_box(prompt) for prompt in drawn]
    grid = volume.grid
    needed = around_prompts(bare, grid.shape, grid.spacing_mm, crop.margin_mm * HELD_MARGIN)
    needed = needed.within(bounds)
    if config.crop == "follow" and any(path.moves for path in crop.paths.values()):
        paths = {
            axis: rerouted(path, drawn, grid, bounds, crop.margin_mm) if path.moves else path
            for axis, path in crop.paths.items()
        }
        crop = replace(crop, paths=paths)
    elif config.crop == "follow" and any(path.short_of(needed) for path in crop.paths.values()):
        # What is drawn by now may show that the structure runs obliquely.
        planned = _first_crop(volume, drawn, config, bounds, labels)
        if any(path.moves for path in planned.paths.values()):
            return planned
    while sides := {
        side for path in crop.paths.values() if not path.moves for side in path.short_of(needed)
    }:
        crop = crop.grown(growth_step(volume, crop), sides, bounds)
    return replace(crop, labels=labels)


def _first_crop(
    volume: Volume, drawn: Sequence[Prompt], config: Config, bounds: Box, labels: tuple[int, ...]
) -> Crop:
    """Return the crop around what is drawn, of labels that had none."""
    grid = volume.grid
    axes = [Axis.named(name) for name in config.axes]
    if config.crop == "follow":
        plans = {axis: plan_crop(drawn, axis, grid, bounds, config.margin_mm) for axis in axes}
        return Crop(
            labels,
            {axis: plan.path for axis, plan in plans.items()},
            plans[axes[0]].margin_mm,
            why={axis: plan.why for axis, plan in plans.items()},
        )
    margin_mm = MARGIN_MM if config.margin_mm is None else config.margin_mm
    box = around_prompts(drawn, grid.shape, grid.spacing_mm, margin_mm).within(bounds)
    paths = {}
    for axis in axes:
        ends = bounds.start[axis.value], bounds.stop[axis.value]
        paths[axis] = CropPath.of_box(box.with_range(axis, *ends), axis)
    return Crop(labels, paths, margin_mm)


def _usable(crop: Crop, axes: Sequence[Axis], bounds: Box) -> bool:
    """Tell whether a crop of an earlier run has these axes and lies within the bounds."""
    return set(crop.paths) == set(axes) and all(
        (path.first, path.stop) == (bounds.start[axis.value], bounds.stop[axis.value])
        and bounds.contains(path.hull())
        for axis, path in crop.paths.items()
    )


def growth_step(volume: Volume, crop: Crop) -> tuple[int, int, int]:
    """Return by how many voxels along each RAS+ axis a crop grows at a time: its margin."""
    spacing = volume.grid.spacing_mm
    return margin_vox(max(crop.margin_mm, max(spacing)), spacing)


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
    indices = {prompt.slice_index for prompt in drawn}
    chosen: Extent = extent or ("prompts" if len(indices) > 1 else "object")
    if chosen == "prompts":
        return min(indices), max(indices) + 1, chosen
    return bounds.start[axis.value], bounds.stop[axis.value], chosen


def ends_of(axis: Axis, drawn: Sequence[Prompt], volume: Volume) -> tuple[int, int]:
    """Return where along one axis all that was drawn of a label begins, and one past its end."""
    grid = volume.grid
    outlined = [_as_box(prompt) for prompt in drawn]
    hull = around_prompts(outlined, grid.shape, grid.spacing_mm, 0.0)
    return hull.start[axis.value], hull.stop[axis.value]


def _as_box(prompt: Prompt) -> Prompt:
    """Return positive clicks as the box around them, without the margin of a click."""
    if not isinstance(prompt, PointPrompt) or not any(prompt.positive):
        return prompt
    pairs = zip(prompt.points_xy, prompt.positive, strict=True)
    return around_clicks(prompt, [point for point, positive in pairs if positive])


def around_clicks(prompt: PointPrompt, points_xy: Sequence[tuple[float, float]]) -> BoxPrompt:
    """Return the box around some of the clicks: where they are, without the margin of a click."""
    xs, ys = zip(*points_xy, strict=True)
    corners = (min(xs), min(ys), max(xs), max(ys))
    return BoxPrompt(prompt.label, prompt.axis, prompt.slice_index, corners)
