"""Where the slices of one axis are cut: geometry alone, the one mapping between scan and stack.

A crop is a window of one size whose place in the plane may differ from slice to slice by whole
voxels, so that it can follow a structure that runs obliquely. A box is the case in which it stays.
Grey values, prompts, masks and growth all go through it, and nothing is ever resampled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Side, triple
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt


@dataclass(frozen=True)
class CropPath:
    """A window on each of some consecutive slices.

    Parameters
    ----------
    axis
        The direction in which slices are cut.
    first
        RAS+ number of the first slice.
    size
        Rows and columns of the window, in voxels.
    starts
        For each slice, where the window begins: RAS+ voxel along ``axis.row_axis`` and along
        ``axis.column_axis``.

    Examples
    --------
    >>> path = CropPath(Axis.AXIAL, 10, (4, 3), ((0, 5), (1, 5)))
    >>> path.box(11)
    Box(start=(5, 1, 11), stop=(8, 5, 12))
    >>> path.hull()
    Box(start=(5, 0, 10), stop=(8, 5, 12))
    """

    axis: Axis
    first: int
    size: tuple[int, int]
    starts: tuple[tuple[int, int], ...]

    @classmethod
    def of_box(cls, box: Box, axis: Axis) -> CropPath:
        """Return the windows of a box: the same on every slice."""
        rows, columns = axis.row_axis, axis.column_axis
        start = (box.start[rows], box.start[columns])
        return cls(
            axis,
            box.start[axis.value],
            (box.shape[rows], box.shape[columns]),
            (start,) * box.shape[axis.value],
        )

    @property
    def stop(self) -> int:
        """One past the RAS+ number of the last slice."""
        return self.first + len(self.starts)

    @property
    def moves(self) -> bool:
        """Whether the window's place differs from slice to slice."""
        return len(set(self.starts)) > 1

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, start: int, stop: int) -> CropPath:
        """Return the windows of slices ``start`` to ``stop`` (RAS+ numbers, the last not in it)."""
        return replace(
            self, first=start, starts=self.starts[start - self.first : stop - self.first]
        )

    def with_part(self, part: CropPath) -> CropPath:
        """Return the path in which some consecutive slices have the windows of ``part``."""
        before, after = (
            self.starts[: part.first - self.first],
            self.starts[part.stop - self.first :],
        )
        return replace(self, starts=(*before, *part.starts, *after))

    def box(self, slice_index: int) -> Box:
        """Return the window of one slice (RAS+ number) as a box of voxels."""
        start, stop = [0, 0, 0], [0, 0, 0]
        start[self.axis.value], stop[self.axis.value] = slice_index, slice_index + 1
        place = self.starts[slice_index - self.first]
        for along, low, extent in zip(self._plane, place, self.size, strict=True):
            start[along], stop[along] = low, low + extent
        return Box(triple(start), triple(stop))

    def hull(self) -> Box:
        """Return the smallest box around all windows."""
        whole = self.box(self.first).with_range(self.axis, self.first, self.stop)
        for index, _ in _distinct(self.starts):
            whole = whole.joined(self.box(self.first + index))
        return whole

    def pixels(self, slice_index: int, shape: Sequence[int]) -> tuple[slice, slice]:
        """Return what cuts the window out of a slice of ``axis.to_stack``: rows, columns.

        Parameters
        ----------
        slice_index
            RAS+ number.
        shape
            Of the array that was made a stack of, RAS+: the scan's.
        """
        (low_row, low_column), (rows, columns) = self.starts[slice_index - self.first], self.size
        # Rows and columns run against the body axes.
        top = shape[self.axis.row_axis] - low_row - rows
        left = shape[self.axis.column_axis] - low_column - columns
        return slice(top, top + rows), slice(left, left + columns)

    def cut(self, volume: NDArray[Any]) -> NDArray[Any]:
        """Return the windows of a RAS+ array of the scan's shape: (slices, rows, columns)."""
        stack = self.axis.to_stack(volume)
        windows = (
            stack[index][self.pixels(index, volume.shape)] for index in range(self.first, self.stop)
        )
        return np.stack(list(windows))

    def place_of(self, prompt: Prompt, shape: Sequence[int]) -> tuple[int, Prompt]:
        """Return a prompt's slice in this stack, from 0, and the prompt in the window's frame.

        Parameters
        ----------
        prompt
            Of this axis, in the frame of the whole scan's slices.
        shape
            Of the scan, RAS+.
        """
        rows, columns = self.pixels(prompt.slice_index, shape)
        index = prompt.slice_index - self.first
        if isinstance(prompt, MaskPrompt):
            return index, MaskPrompt(prompt.label, prompt.axis, index, prompt.mask[rows, columns])
        left, top = columns.start, rows.start
        if isinstance(prompt, BoxPrompt):
            x0, y0, x1, y1 = prompt.box_xyxy
            box_xyxy = (x0 - left, y0 - top, x1 - left, y1 - top)
            return index, BoxPrompt(prompt.label, prompt.axis, index, box_xyxy)
        points = tuple((x - left, y - top) for x, y in prompt.points_xy)
        return index, PointPrompt(prompt.label, prompt.axis, index, points, prompt.positive)

    def add(self, values: NDArray[Any], total: NDArray[Any], box: Box) -> None:
        """Add the values of the windows to an array that fills a box of the scan.

        Parameters
        ----------
        values
            (slices, rows, columns), one window a slice.
        total
            RAS+, the box' own shape; written to. What lies outside the box is left out.
        box
            Where ``total`` lies.
        """
        into = self.axis.to_stack(total)
        for index in range(max(self.first, box.start[self.axis.value]), self.stop):
            if index >= box.stop[self.axis.value]:
                break
            theirs, mine = self._shared(index, box)
            into[index - box.start[self.axis.value]][theirs] += values[index - self.first][mine]

    def touching(self, masks: NDArray[np.bool_], bounds: Box) -> set[Side]:
        """Return the sides of the window that masks reach and beyond which ``bounds`` goes on.

        Parameters
        ----------
        masks
            (slices, rows, columns) bool, one window a slice.
        bounds
            The scan, or the region that a person allows.
        """
        sides: set[Side] = set()
        starts = np.array(self.starts)  # (slices, 2): along the row axis, along the column axis
        for which, along in enumerate(self._plane):
            # The first row (column) is the upper end of its body axis.
            for upper, edge in ((True, 0), (False, -1)):
                reached = np.moveaxis(masks, 1 + which, 0)[edge].any(axis=1)
                low = starts[:, which]
                inside = (
                    low + self.size[which] < bounds.stop[along]
                    if upper
                    else low > bounds.start[along]
                )
                if (reached & inside).any():
                    sides.add(Side((along, upper)))
        return sides

    def grown(self, by_vox: Sequence[int], sides: Iterable[Side], bounds: Box) -> CropPath:
        """Return the windows made larger on some sides, as far as ``bounds`` reaches.

        The window stays of one size: where a slice's window meets the bounds on one side, it
        reaches as much further on the other as the rest need.

        Parameters
        ----------
        by_vox
            Number of voxels along each RAS+ axis.
        sides
            Those that move; sides of the slicing axis count for nothing here.
        bounds
            The scan, or the region that a person allows.
        """
        sides = set(sides)
        starts = np.array(self.starts)
        size = list(self.size)
        for which, along in enumerate(self._plane):
            low, high = starts[:, which], starts[:, which] + self.size[which]
            if Side((along, False)) in sides:
                low = np.maximum(low - by_vox[along], bounds.start[along])
            if Side((along, True)) in sides:
                high = np.minimum(high + by_vox[along], bounds.stop[along])
            size[which] = int((high - low).max())
            starts[:, which] = np.clip(low, bounds.start[along], bounds.stop[along] - size[which])
        return replace(
            self,
            size=(size[0], size[1]),
            starts=tuple((int(row), int(column)) for row, column in starts),
        )

    def short_of(self, box: Box) -> set[Side]:
        """Return the sides on which the windows do not hold what a box covers of these slices."""
        first = max(self.first, box.start[self.axis.value]) - self.first
        last = min(self.stop, box.stop[self.axis.value]) - self.first
        sides: set[Side] = set()
        for low in dict.fromkeys(self.starts[first:last]):
            for along, start, extent in zip(self._plane, low, self.size, strict=True):
                if box.start[along] < start:
                    sides.add(Side((along, False)))
                if box.stop[along] > start + extent:
                    sides.add(Side((along, True)))
        return sides

    def to_json(self) -> dict[str, Any]:
        """Return plain values; the place is written once where it is the same on every slice."""
        return {
            "axis": self.axis.label,
            "first_slice": self.first,
            "slices": len(self.starts),
            "size": list(self.size),
            "starts": [list(one) for one in (self.starts if self.moves else self.starts[:1])],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CropPath:
        """Return the path that `to_json` wrote."""
        starts = tuple((int(row), int(column)) for row, column in values["starts"])
        rows, columns = values["size"]
        return cls(
            Axis.named(values["axis"]),
            int(values["first_slice"]),
            (int(rows), int(columns)),
            starts if len(starts) > 1 else starts * int(values["slices"]),
        )

    @property
    def _plane(self) -> tuple[int, int]:
        return self.axis.row_axis, self.axis.column_axis

    def _shared(
        self, slice_index: int, box: Box
    ) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return what a slice's window shares with a box: its pixels in the box, and in itself."""
        theirs, mine = [], []
        place = self.starts[slice_index - self.first]
        for along, low, extent in zip(self._plane, place, self.size, strict=True):
            start = max(low, box.start[along])
            stop = max(min(low + extent, box.stop[along]), start)
            theirs.append(slice(box.stop[along] - stop, box.stop[along] - start))
            mine.append(slice(low + extent - stop, low + extent - start))
        return (theirs[0], theirs[1]), (mine[0], mine[1])


def _distinct(starts: Sequence[tuple[int, int]]) -> list[tuple[int, tuple[int, int]]]:
    """Return each place once, with the first slice that has it."""
    return [(starts.index(place), place) for place in dict.fromkeys(starts)]
