"""What is refused, and what is warned of, about a request before any work is done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.prompts import MaskPrompt, PointPrompt, Prompt, Prompts
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.core.volume import Volume
from voxtrail.errors import GridError, PromptError
from voxtrail.preprocess import around_prompts
from voxtrail.session.config import Config
from voxtrail.session.crops import around_clicks, bounds_of


def check_request(volume: Volume, prompts: Prompts, config: Config) -> None:
    """Refuse a request that cannot be carried out; quick, so that no model is loaded in vain.

    Raises
    ------
    GridError
        If the prompts were drawn on another grid.
    PromptError
        If there is no prompt, one has no place in the scan or lies outside the region, or a label
        has nothing marked or nothing on an axis to propagate along.
    OptionError
        If the region cannot be cut out of the scan.
    """
    check_placed(volume, prompts)
    if not prompts.prompts:
        raise PromptError(
            "no slice is prompted",
            received="no prompts",
            accepted="at least one outlined slice",
            remedy="outline the structure on one or more slices",
        )
    for label in prompts.labels():
        _refuse_unusable(prompts, label, config)
    _refuse_outside(volume, prompts, config)


def check_placed(volume: Volume, prompts: Prompts) -> None:
    """Refuse prompts that have no place in a scan.

    Raises
    ------
    GridError
        If they were drawn on another grid.
    PromptError
        If one lies outside the scan, or is a second one in its place.
    """
    if not prompts.stored.same_as(volume.stored):
        raise GridError(
            "the prompts were drawn on another grid",
            received=prompts.stored.describe(),
            accepted=volume.stored.describe(),
            remedy="draw on this scan, or resample the prompts to its grid",
        )
    _refuse_misplaced(prompts, volume.grid.shape)


def _refuse_misplaced(prompts: Prompts, shape: Sequence[int]) -> None:
    seen: set[tuple[int, Axis, int, bool]] = set()
    for prompt in prompts.prompts:
        axis = prompt.axis
        size_hw = (shape[axis.row_axis], shape[axis.column_axis])
        place = (prompt.label, axis, prompt.slice_index, isinstance(prompt, PointPrompt))
        if (
            place in seen
            or not 0 <= prompt.slice_index < shape[axis.value]
            or (isinstance(prompt, MaskPrompt) and prompt.mask.shape != size_hw)
        ):
            size = f", a mask of {prompt.mask.shape}" if isinstance(prompt, MaskPrompt) else ""
            raise PromptError(
                f"a prompt of {prompts.name(prompt.label)} has no place in the scan",
                received=f"{axis.label} slice {prompt.slice_index} (RAS+){size}",
                accepted=f"slices 0 to {shape[axis.value] - 1} of {size_hw} rows and columns, "
                "each with one mask or box and one set of clicks a label",
                remedy="number and cut slices as Axis.to_stack does",
            )
        seen.add(place)


def _refuse_outside(volume: Volume, prompts: Prompts, config: Config) -> None:
    bounds = bounds_of(volume, config)
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


def _leaves(prompt: Prompt, bounds: Box, volume: Volume) -> bool:
    """Tell whether anything that was drawn, clicks off the structure included, is out of bounds."""
    along = prompt.axis.value
    if not bounds.start[along] <= prompt.slice_index < bounds.stop[along]:
        return True
    if isinstance(prompt, MaskPrompt) and not prompt.mask.any():
        return False
    if isinstance(prompt, PointPrompt):
        prompt = around_clicks(prompt, prompt.points_xy)
    marked = around_prompts([prompt], volume.grid.shape, volume.grid.spacing_mm, 0.0)
    return not bounds.contains(marked)


def _refuse_unusable(prompts: Prompts, label: int, config: Config) -> None:
    drawn = prompts.of(label)
    if not any(_marks(prompt) for prompt in drawn):
        raise PromptError(
            f"nothing of {prompts.name(label)} is marked on any slice",
            received="empty masks or negative points only",
            accepted="at least one outline, box or positive point",
            remedy="outline the structure on at least one slice, or leave the label out",
        )
    if not any(prompt.axis.label in config.axes for prompt in drawn):
        raise PromptError(
            f"{prompts.name(label)} has no prompt on an axis to propagate along",
            received="prompts on " + ", ".join(sorted({p.axis.label for p in drawn})),
            accepted="at least one prompt on " + " or ".join(config.axes),
            remedy="outline a slice of that axis, or name the prompts' axis with --axes",
        )


def _marks(prompt: Prompt) -> bool:
    """Tell whether a prompt says that the structure is on its slice."""
    if isinstance(prompt, MaskPrompt):
        return bool(prompt.mask.any())
    return not isinstance(prompt, PointPrompt) or any(prompt.positive)


def _drawn_twice(prompts: Prompts) -> list[str]:
    """Say which voxels two labels were drawn on, on one slice or where two slices cross."""
    shape = prompts.stored.canonical().shape
    claimed = np.empty(0, dtype=np.int64)
    said = []
    for label in prompts.labels():
        masks = prompts.masks(label)
        mine = [np.empty(0, dtype=np.int64), *(_drawn_voxels(mask, shape) for mask in masks)]
        drawn = np.unique(np.concatenate(mine))
        shared = np.intersect1d(claimed, drawn, assume_unique=True)
        if shared.size:
            voxel = [int(index) for index in np.unravel_index(int(shared[0]), shape)]
            place = prompts.stored.stored_voxel(voxel)
            said.append(
                f"{prompts.name(label)}: {shared.size} voxels, one at {place} as stored, were also "
                "drawn for another label; where labels compete, the one of which less was drawn "
                "has them; --overlap apart keeps both"
            )
        claimed = np.union1d(claimed, drawn)
    return said


def _drawn_voxels(prompt: MaskPrompt, shape: Sequence[int]) -> NDArray[np.int64]:
    """Return the flat RAS+ indices of a mask's voxels."""
    axis = prompt.axis
    rows, columns = np.nonzero(prompt.mask)
    place = [np.full(rows.shape, prompt.slice_index)] * 3
    # Rows and columns run against the body axes.
    place[axis.row_axis] = shape[axis.row_axis] - 1 - rows
    place[axis.column_axis] = shape[axis.column_axis] - 1 - columns
    return np.ravel_multi_index((place[0], place[1], place[2]), shape).astype(np.int64)


def warnings_about(prompts: Prompts, config: Config) -> list[str]:
    """Return what a person should know of how the prompts are used, one line each."""
    axes = [Axis.named(name) for name in config.axes]
    said = list(prompts.notes)
    for label in prompts.labels():
        unused = [prompt for prompt in prompts.of(label) if prompt.axis not in axes]
        if unused:
            said.append(
                f"{prompts.name(label)}: {len(unused)} prompts on other axes than "
                f"{','.join(config.axes)} were not propagated; drawn masks are kept"
            )
        silent = [axis.label for axis in axes if not prompts.of(label, axis)]
        if silent:
            said.append(
                f"{prompts.name(label)}: nothing was drawn on {', '.join(silent)} slices; "
                "that axis says nothing about it"
            )
        contradicted = _contradicted(prompts, label)
        if contradicted:
            said.append(
                f"{prompts.name(label)}: {contradicted} voxels where slices cross were drawn on "
                "one and left out on another; they count as drawn"
            )
    if config.overlap == "compete":
        said += _drawn_twice(prompts)
    nowhere = [name for label, name in prompts.names.items() if label not in prompts.labels()]
    if nowhere:
        said.append(
            f"named in the prompts and outlined on no slice, so not segmented: {', '.join(nowhere)}"
        )
    return said


def _contradicted(prompts: Prompts, label: int) -> int:
    """Return how many voxels one mask of a label holds and a crossing one leaves out."""
    shape = prompts.stored.canonical().shape
    masks = prompts.masks(label)
    if len({mask.axis for mask in masks}) < 2:
        return 0
    inside = np.unique(np.concatenate([_drawn_voxels(mask, shape) for mask in masks]))
    left_out = [
        _drawn_voxels(MaskPrompt(label, mask.axis, mask.slice_index, ~mask.mask), shape)
        for mask in masks
    ]
    return int(np.isin(inside, np.concatenate(left_out)).sum())
