"""Two outlines of a structure, brought onto one another where they hardly overlap.

The sections of a structure that runs obliquely, such as a rib, share no pixel a few slices apart,
and signed distances of two such outlines say nothing of what lies between. Moved by whole pixels
along the line through their centroids they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.shape.signed_distance import signed_distance_mm

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Gap:
    """What lies between two outlined slices, in one frame.

    Slices are numbered from the first outline, 0, to the last one, ``steps``.

    Parameters
    ----------
    first_mm, last_mm
        (row, column) float64: signed distances (`signed_distance_mm`) of the two outlines in the
        frame.
    corners
        (steps + 1, 2) int: row and column of the frame at which each slice's first pixel lies; all
        0 where nothing was moved.
    slice_shape
        Rows and columns of a slice.
    """

    first_mm: NDArray[np.float64]
    last_mm: NDArray[np.float64]
    corners: NDArray[np.int64]
    slice_shape: tuple[int, int]

    @classmethod
    def between(
        cls, first: Mask, last: Mask, steps: int, pixel_mm: tuple[float, float], align: float
    ) -> Gap:
        """Measure two outlines.

        Parameters
        ----------
        first, last
            (row, column) bool, neither empty.
        steps
            Number of slices from ``first`` to ``last``.
        pixel_mm
            Distance between rows and between columns.
        align
            Outlines of which less than this share of the smaller one is also in the other are
            brought onto one another: 0 never does. A tip that lies inside a large section overlaps
            wholly, however small its Dice.
        """
        moves = np.zeros((steps + 1, 2), dtype=np.int64)
        if (first & last).sum() < align * min(first.sum(), last.sum()):
            way = np.argwhere(last).mean(axis=0) - np.argwhere(first).mean(axis=0)
            moves = -np.rint(np.arange(steps + 1)[:, None] / steps * way).astype(np.int64)
        corners = moves - moves.min(axis=0)
        rows, columns = first.shape
        height, width = (int(most) for most in corners.max(axis=0))
        framed = np.zeros((2, rows + height, columns + width), dtype=bool)
        for outline, into, (row, column) in zip(
            (first, last), framed, corners[[0, -1]], strict=True
        ):
            into[row : row + rows, column : column + columns] = outline
        return cls(
            signed_distance_mm(framed[0], pixel_mm),
            signed_distance_mm(framed[1], pixel_mm),
            corners,
            (rows, columns),
        )

    @property
    def aligned(self) -> bool:
        """Whether the outlines were brought onto one another."""
        return bool(self.corners.any())

    def weights(self) -> NDArray[np.float64]:
        """Return where each slice between lies from first (0) to last (1): (steps - 1, 1, 1)."""
        steps = len(self.corners) - 1
        return (np.arange(1, steps) / steps)[:, None, None]

    def place(self, slices: NDArray[Any], fill: float | bool, at: int = 1) -> NDArray[Any]:
        """Bring slices into the frame.

        Parameters
        ----------
        slices
            (n, row, column), consecutive.
        fill
            What lies beyond a slice.
        at
            Number of the first of them.
        """
        if not self.aligned:
            return slices
        framed = np.full((len(slices), *self.first_mm.shape), fill, dtype=slices.dtype)
        for picture, into, window in zip(slices, framed, self._windows(at), strict=False):
            into[window] = picture
        return framed

    def cut(self, framed: NDArray[Any], at: int = 1) -> NDArray[Any]:
        """Bring consecutive slices back from the frame; undoes `place`."""
        if not self.aligned:
            return framed
        windows = self._windows(at)
        return np.stack([picture[window] for picture, window in zip(framed, windows, strict=False)])

    def _windows(self, at: int) -> list[tuple[slice, slice]]:
        rows, columns = self.slice_shape
        return [
            (slice(row, row + rows), slice(column, column + columns))
            for row, column in self.corners[at:]
        ]
