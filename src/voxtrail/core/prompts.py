"""What a person draws: a mask, a box or points on one slice of one axis for one label.

Slice numbers count along the RAS+ axis; rows and columns are those of `Axis.to_stack`, with pixel
(0, 0) centred on x = 0, y = 0. Files number voxels as they are stored: `voxtrail.io.prompts`
translates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.grid import Grid


@dataclass(frozen=True, eq=False)
class MaskPrompt:
    """An outlined slice, taken as the truth there.

    Parameters
    ----------
    label
        Label that the mask belongs to, 1 or more.
    axis
        The direction in which the slice is cut.
    slice_index
        The slice's number along the RAS+ axis.
    mask
        (rows, columns) bool; all False says that the structure is not on this slice.
    """

    label: int
    axis: Axis
    slice_index: int
    mask: NDArray[np.bool_]

    @classmethod
    def cut(
        cls,
        label: int,
        axis: Axis,
        slice_index: int,
        mask: NDArray[np.bool_],
        box: Box,
        shape: Sequence[int],
    ) -> MaskPrompt:
        """Return what one slice of a label shows.

        Parameters
        ----------
        label, axis, slice_index
            As in `MaskPrompt`; the slice passes through the box.
        mask
            (i, j, k) bool in RAS+ order: where the label is in a box, outside of which it is not.
        box
            Where the mask lies.
        shape
            Of the scan, RAS+.
        """
        slices, rows, columns = box.in_stack(axis, shape)
        whole = np.zeros((shape[axis.row_axis], shape[axis.column_axis]), dtype=np.bool_)
        whole[rows, columns] = axis.to_stack(mask)[slice_index - slices.start]
        return cls(label, axis, slice_index, whole)


@dataclass(frozen=True)
class BoxPrompt:
    """A box around the structure on one slice.

    Parameters
    ----------
    label, axis, slice_index
        As in `MaskPrompt`.
    box_xyxy
        Left, top, right, bottom in pixels of the slice; both corners belong to the box.
    """

    label: int
    axis: Axis
    slice_index: int
    box_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True)
class PointPrompt:
    """Clicks on one slice.

    Parameters
    ----------
    label, axis, slice_index
        As in `MaskPrompt`.
    points_xy
        (x, y) of each click in pixels of the slice.
    positive
        For each click: True on the structure, False off it.
    """

    label: int
    axis: Axis
    slice_index: int
    points_xy: tuple[tuple[float, float], ...]
    positive: tuple[bool, ...]


Prompt = MaskPrompt | BoxPrompt | PointPrompt


@dataclass(frozen=True, eq=False)
class Prompts:
    """All that was drawn on one scan.

    Parameters
    ----------
    prompts
        In any order. On one slice of an axis a label has at most one mask or box, and one set of
        clicks, which corrects that mask or box where there is one.
    stored
        The scan's grid as stored.
    names
        What the labels are called.
    notes
        What a person should know of how they were read.
    """

    prompts: tuple[Prompt, ...]
    stored: Grid
    names: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def labels(self) -> tuple[int, ...]:
        """Return the labels that have a prompt, in rising order."""
        return tuple(sorted({prompt.label for prompt in self.prompts}))

    def of(self, label: int, axis: Axis | None = None) -> tuple[Prompt, ...]:
        """Return the prompts of one label (on one axis), by rising slice, clicks last on each."""
        chosen = (
            prompt
            for prompt in self.prompts
            if prompt.label == label and (axis is None or prompt.axis is axis)
        )
        return tuple(sorted(chosen, key=_order))

    def by_slice(self, label: int, axis: Axis) -> dict[int, tuple[Prompt, ...]]:
        """Return the prompts of one label on one axis by slice, in rising order."""
        found: dict[int, tuple[Prompt, ...]] = {}
        for prompt in self.of(label, axis):
            found[prompt.slice_index] = (*found.get(prompt.slice_index, ()), prompt)
        return found

    def masks(self, label: int) -> tuple[MaskPrompt, ...]:
        """Return the masks of one label that stand as they were drawn: no click corrects them."""
        corrected = {
            (prompt.axis, prompt.slice_index)
            for prompt in self.of(label)
            if isinstance(prompt, PointPrompt)
        }
        return tuple(
            prompt
            for prompt in self.of(label)
            if isinstance(prompt, MaskPrompt) and (prompt.axis, prompt.slice_index) not in corrected
        )

    def renumbered(self, numbers: Mapping[int, int]) -> Prompts:
        """Return the prompts under other labels' numbers; one that is not named keeps its own."""
        return replace(
            self,
            prompts=tuple(
                replace(prompt, label=numbers.get(prompt.label, prompt.label))
                for prompt in self.prompts
            ),
            names={numbers.get(label, label): name for label, name in self.names.items()},
        )

    def name(self, label: int) -> str:
        """Return what ``label`` is called."""
        return self.names.get(label, str(label))


def _order(prompt: Prompt) -> tuple[int, int, bool]:
    return prompt.axis.value, prompt.slice_index, isinstance(prompt, PointPrompt)
