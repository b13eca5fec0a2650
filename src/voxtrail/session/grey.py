"""A scan's slices as the model sees them: grey levels of windows, made when they are asked for.

Nothing is kept of a transform that looks at single voxels: a slice's window is cut out of the scan
and transformed, which costs less than to hold float32 copies of a large scan. Of a transform that
needs whole slices (CLAHE), those that were asked for are kept, one float32 copy of them an axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.crop_path import CropPath
from voxtrail.core.volume import Volume
from voxtrail.preprocess import Transform


class GreyScan:
    """A scan behind a transform.

    Parameters
    ----------
    volume
        The scan; not copied.
    transform
        From Hounsfield units to grey levels.
    """

    def __init__(self, volume: Volume, transform: Transform) -> None:
        self._voxels = volume.voxels
        self._transform = transform
        self._range_hu = float(volume.voxels.min()), float(volume.voxels.max())
        self._whole: dict[tuple[Axis, int], NDArray[np.float32]] = {}

    def along(self, path: CropPath) -> GreyStack:
        """Return the windows of a path as a stack."""
        return GreyStack(self, path)

    def window(self, path: CropPath, slice_index: int) -> NDArray[np.float32]:
        """Return one slice's window (RAS+ number): (rows, columns) float32, 0 to 1."""
        pixels = path.pixels(slice_index, self._voxels.shape)
        if self._transform.voxelwise:
            hu = path.axis.to_stack(self._voxels)[slice_index][pixels]
            return self._transform.grey(hu, self._range_hu)
        key = path.axis, slice_index
        if key not in self._whole:
            hu = path.axis.to_stack(self._voxels)[slice_index]
            self._whole[key] = self._transform.grey(hu, self._range_hu)
        return self._whole[key][pixels]


@dataclass(eq=False)
class GreyStack:
    """The windows of one path: what `voxtrail.propagate.features.FeatureSource` encodes.

    Parameters
    ----------
    scan
        The scan.
    path
        Where its windows are. Those of slices that nobody has asked for may still be moved.
    """

    scan: GreyScan
    path: CropPath

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        return len(self.path), *self.path.size

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        """Return slice ``index``, from 0: (rows, columns) float32, 0 to 1."""
        return self.scan.window(self.path, self.path.first + index)
