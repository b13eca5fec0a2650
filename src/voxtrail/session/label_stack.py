"""One label's slices along one axis: what is propagated, and where it lies in the scan."""

from __future__ import annotations

from dataclasses import dataclass

from voxtrail.core.axis import Axis
from voxtrail.core.crop_path import CropPath
from voxtrail.propagate.stack import Stack
from voxtrail.session.config import Extent
from voxtrail.session.crops import Crop
from voxtrail.session.grey import GreyStack


@dataclass(frozen=True, eq=False)
class LabelStack:
    """One label's stack along one axis, and where it lies in the scan.

    Parameters
    ----------
    crop, label, axis
        Which.
    grey
        The windows of all labels that share the crop.
    start, stop
        First slice of this label, and one past its last (RAS+ numbers).
    extent
        Where its passes end.
    stack
        What is propagated.
    """

    crop: Crop
    label: int
    axis: Axis
    grey: GreyStack
    start: int
    stop: int
    extent: Extent
    stack: Stack

    @property
    def path(self) -> CropPath:
        """Its windows, as far as they have been decided."""
        return self.grey.path.part(self.start, self.stop)

    def beyond(self, slice_index: int) -> int:
        """Return +1 above the last slice that was drawn, -1 below the first one, else 0."""
        index = slice_index - self.start
        return (index > max(self.stack.prompts)) - (index < min(self.stack.prompts))
