"""The outlines that a careful person would have drawn: cut from the truth on chosen slices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap
from voxtrail.errors import PromptError
from voxtrail.evaluate.prompt_slices import PromptSlices, parse_prompt_slices


def simulate(
    truth: LabelMap,
    slices: PromptSlices | str = "first-middle-last",
    axes: Sequence[Axis] = (Axis.AXIAL,),
    labels: Sequence[int] | None = None,
) -> Prompts:
    """Draw every label of ``truth`` on the slices that a strategy chooses.

    First and last are each label's own first and last non-empty slice along each axis.

    Parameters
    ----------
    truth
        The labels, complete.
    slices
        Which slices are outlined, or the text from which `parse_prompt_slices` reads it.
    axes
        Directions in which slices are cut, each by itself.
    labels
        Which labels; all that occur by default.

    Returns
    -------
    Prompts
        One mask prompt per label, axis and chosen slice, on the truth's grid and with its names.

    Raises
    ------
    OptionError
        If the text names no choice of slices.
    PromptError
        If a label that was asked for is absent, or no label occurs at all.
    """
    strategy = parse_prompt_slices(slices) if isinstance(slices, str) else slices
    present, shape = truth.boxes(), truth.grid.shape
    chosen = tuple(present if labels is None else labels)
    absent = [label for label in chosen if label not in present]
    if absent or not chosen:
        raise PromptError(
            "nothing to outline: a label without a voxel" if absent else "no label to outline",
            received=", ".join(truth.name(label) for label in absent) or "an empty label map",
            accepted="labels with at least one voxel, here "
            + (", ".join(truth.name(label) for label in present) or "none"),
            remedy="leave out the structures that are not in this scan",
        )
    prompts = []
    for label in chosen:
        box = present[label]
        mask = truth.mask(label, box)
        for axis in axes:
            stack = axis.to_stack(mask)
            occupied = np.flatnonzero(stack.any(axis=(1, 2))) + box.start[axis.value]
            prompts += [
                MaskPrompt.cut(label, axis, index, mask, box, shape)
                for index in strategy.choose(occupied)
            ]
    called = {**truth.titles, **truth.names}
    names = {label: called[label] for label in chosen if label in called}
    return Prompts(tuple(prompts), truth.stored, names, truth.notes)
