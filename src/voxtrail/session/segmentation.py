"""What a segmentation gives: labels on the scan's own grid, logits, and what made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.session.compose import LabelLogits
from voxtrail.session.quality import LabelQuality
from voxtrail.session.record import RunRecord

if TYPE_CHECKING:
    from voxtrail.picture import View

#: A box of the scan, RAS+ voxels, and (i, j, k) numbers in RAS+ order that fill it.
InBox = tuple[Box, NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A segmented scan.

    Parameters
    ----------
    labels
        On exactly the scan's stored grid, in the smallest unsigned type that holds them. With
        ``overlap="apart"`` voxels that several labels claim carry the most confident one here;
        `mask` gives each label by itself.
    logits
        Fused logits by label.
    record
        What made it.
    quality
        How sure each label is.
    volume, prompts
        The scan, and what was drawn on it.
    """

    labels: LabelMap
    logits: dict[int, LabelLogits]
    record: RunRecord
    quality: dict[int, LabelQuality]
    volume: Volume
    prompts: Prompts

    def show(self) -> View:
        """Show the labels on the scan, and which slices were drawn; see `voxtrail.picture.show`."""
        from voxtrail.picture import show

        return show(self.volume, self.labels, self.prompts)

    def mask(self, label: int) -> NDArray[np.bool_]:
        """Return one label by itself, whatever other labels claim: (i, j, k) bool in RAS+."""
        found = self.logits[label]
        mask = np.zeros(self.labels.grid.shape, dtype=np.bool_)
        mask[found.box.slices] = found.logits > 0
        return mask

    def probabilities(self, label: int) -> NDArray[np.float32]:
        """Return one label's probabilities: (i, j, k) float32 in RAS+, 0 to 1."""
        return self._whole(*self.probabilities_in_box(label))

    def probabilities_in_box(self, label: int) -> InBox:
        """Return where one label was looked for, RAS+ voxels, and its probabilities there.

        Beyond they are 0, and of a large scan take much memory.
        """
        found = self.logits[label]
        return found.box, 0.5 * (1.0 + np.tanh(0.5 * found.logits))

    def uncertainty(self, label: int) -> NDArray[np.float32]:
        """Return how unsure one label's voxels are: (i, j, k) float32 in RAS+, 0 sure to 1 unsure.

        0 on slices that were drawn, and where nothing was looked for.
        """
        return self._whole(*self.uncertainty_in_box(label))

    def uncertainty_in_box(self, label: int) -> InBox:
        """Return where one label was looked for, RAS+ voxels, and how unsure it is there."""
        found = self.quality[label]
        return found.box, found.unsure

    def _whole(self, box: Box, values: NDArray[np.floating]) -> NDArray[np.float32]:
        whole = np.zeros(self.labels.grid.shape, dtype=np.float32)
        whole[box.slices] = values
        return whole
