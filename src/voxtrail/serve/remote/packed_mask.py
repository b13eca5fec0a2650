"""Masks of a whole scan, a bit a voxel and only where they are filled: cheap enough for undo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box


@dataclass(frozen=True, eq=False)
class PackedMask:
    """A mask.

    Parameters
    ----------
    box
        What is filled lies inside; None where nothing is.
    bits
        The voxels of the box, packed.
    """

    box: Box | None = None
    bits: bytes = b""

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> PackedMask:
        """Pack a mask (i, j, k) of a whole scan, RAS+."""
        box = Box.around(mask)
        return cls() if box is None else cls(box, np.packbits(mask[box.slices]).tobytes())

    def voxels(self) -> NDArray[np.bool_]:
        """Return the voxels of the box, which there has to be."""
        assert self.box is not None
        count = int(np.prod(self.box.shape))
        flat = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=count)
        return flat.reshape(self.box.shape).astype(np.bool_)

    def put_into(self, mask: NDArray[np.bool_]) -> None:
        """Make a mask of a whole scan this one."""
        mask[:] = False
        if self.box is not None:
            mask[self.box.slices] = self.voxels()

    def differs_from(self, mask: NDArray[np.bool_]) -> Box | None:
        """Return the smallest box around the voxels in which a mask of the scan is another."""
        box = Box.around(mask)
        if self.box is None or box is None:
            return box or self.box
        around = self.box.joined(box)
        mine = np.zeros(around.shape, np.bool_)
        offset = [-n for n in around.start]
        mine[self.box.moved(offset).slices] = self.voxels()
        found = Box.around(mine ^ mask[around.slices])
        return found and found.moved(around.start)
