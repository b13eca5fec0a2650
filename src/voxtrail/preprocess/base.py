"""What every way of turning Hounsfield units into grey levels has in common.

Not here: resizing to the model's input and the model's own normalisation (`voxtrail.model`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Transform(ABC):
    """A rule from Hounsfield units to grey levels; its fields are its settings.

    Attributes
    ----------
    voxelwise
        Whether a voxel's grey level follows from its own value (and the scan's range) alone, so
        that a part of a slice may be transformed by itself; otherwise whole slices are needed.
    """

    name: ClassVar[str]
    voxelwise: ClassVar[bool]

    @abstractmethod
    def grey(self, hu: NDArray[Any], range_hu: tuple[float, float]) -> NDArray[np.float32]:
        """Return one slice as grey levels.

        Parameters
        ----------
        hu
            (row, column), any real type, Hounsfield units, finite.
        range_hu
            Smallest and largest value of the whole scan, so that an intensity means the same on
            every slice and in every crop.

        Returns
        -------
        numpy.ndarray
            Same shape, float32, 0..1 (not rounded to 256 levels).
        """

    def apply(self, hu: NDArray[Any]) -> NDArray[np.float32]:
        """Return a whole scan (slice, row, column) as grey levels, slice by slice; see `grey`."""
        range_hu = float(hu.min()), float(hu.max())
        return np.stack([self.grey(one, range_hu) for one in hu])
