"""What a segmentation gives: labels on the scan's own grid, logits, and what made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.session.compose import LabelLogits
from voxtrail.session.quality import LabelQuality
from voxtrail.session.record import RunRecord

if TYPE_CHECKING:
    from voxtrail.picture import View


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
        found = self.logits[label]
        probabilities = np.zeros(self.labels.grid.shape, dtype=np.float32)
        probabilities[found.box.slices] = 0.5 * (1.0 + np.tanh(0.5 * found.logits))
        return probabilities

    def uncertainty(self, label: int) -> NDArray[np.float32]:
        """Return how unsure one label's voxels are: (i, j, k) float32 in RAS+, 0 sure to 1 unsure.

        0 on slices that were drawn, and where nothing was looked for.
        """
        found = self.quality[label]
        unsure = np.zeros(self.labels.grid.shape, dtype=np.float32)
        unsure[found.box.slices] = found.unsure
        return unsure
