"""What every way of turning Hounsfield units into grey levels has in common.

Not here: resizing to the model's input and the model's own normalisation (`voxtrail.model`). The
session calls this once per scan, before it crops.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Transform(ABC):
    """A rule from Hounsfield units to grey levels; its fields are its settings."""

    name: ClassVar[str]

    @abstractmethod
    def apply(self, hu: NDArray[Any]) -> NDArray[np.float32]:
        """Return ``hu`` as grey levels.

        Pass the whole scan and crop the result: minimum, maximum and tiles are those of the array
        that is passed, so that an intensity means the same on every slice and in every crop.

        Parameters
        ----------
        hu
            (slice, row, column), any real type, Hounsfield units, finite.

        Returns
        -------
        numpy.ndarray
            Same shape, float32, 0..1 (not rounded to 256 levels).
        """
