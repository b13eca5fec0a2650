"""What is refused, and what is warned of, about prompts before any work is done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.errors import PromptError
from voxtrail.pipeline.config import Config


def check_prompts(prompts: Prompts, config: Config) -> None:
    """Refuse prompts that cannot be propagated as configured.

    Raises
    ------
    PromptError
        If there is none, a label has none on an axis to propagate along, or two labels that
        compete were drawn on the same pixel.
    """
    axes = [Axis.named(name) for name in config.axes]
    if not prompts.prompts:
        raise PromptError(
            "no slice is prompted",
            received="no prompts",
            accepted="at least one outlined slice",
            remedy="outline the structure on one or more slices",
        )
    for label in prompts.labels():
        drawn = prompts.of(label)
        if not any(prompt.axis in axes for prompt in drawn):
            raise PromptError(
                f"{prompts.name(label)} has no prompt on an axis to propagate along",
                received="prompts on " + ", ".join(sorted({p.axis.label for p in drawn})),
                accepted="at least one prompt on " + " or ".join(config.axes),
                remedy="outline a slice of that axis, or name the prompts' axis with --axes",
            )
    if config.overlap == "compete":
        _refuse_drawn_overlap(prompts)


def _refuse_drawn_overlap(prompts: Prompts) -> None:
    masks = [prompt for prompt in prompts.prompts if isinstance(prompt, MaskPrompt)]
    claimed: dict[tuple[Axis, int], NDArray[np.bool_]] = {}
    for prompt in masks:
        place = (prompt.axis, prompt.slice_index)
        before = claimed.get(place)
        if before is not None and (before & prompt.mask).any():
            raise PromptError(
                f"two labels were drawn on the same pixels, one of them "
                f"{prompts.name(prompt.label)}",
                received=f"{int((before & prompt.mask).sum())} pixels on "
                f"{prompt.axis.label} slice {prompt.slice_index}",
                accepted="masks that do not overlap, since each voxel gets one label",
                remedy="mend the masks, or keep labels apart with --overlap apart",
            )
        claimed[place] = prompt.mask if before is None else before | prompt.mask


def warnings_about(prompts: Prompts, config: Config) -> list[str]:
    """Return what a person should know of how the prompts are used, one line each."""
    axes = [Axis.named(name) for name in config.axes]
    said = []
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
    return said
