"""What is known of how good one label's mask is, voxel by voxel, slice by slice and as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box


@dataclass(frozen=True, eq=False)
class LabelQuality:
    """How sure a label's mask is.

    Parameters
    ----------
    box
        Where, RAS+ voxels.
    unsure
        (i, j, k) float16 in RAS+ order, the box' own shape: 0 sure to 1 unsure; 0 on slices that
        were drawn as masks. See `voxtrail.session.uncertainty`.
    confidence
        For each axis that was propagated along, by RAS+ number: what share of each slice's mask is
        expected to be right, 0 to 1; see `voxtrail.session.uncertainty.confidence`.
    predicted_iou
        For each of those axes, by RAS+ number: the model's own estimate of the IoU of each slice
        that was tracked, the lowest of its passes.
    between
        Mean confidence of the slices between the outermost outlines that were not outlined, on all
        axes; 1 where there is none.
    """

    box: Box
    unsure: NDArray[np.float16]
    confidence: Mapping[Axis, Mapping[int, float]]
    predicted_iou: Mapping[Axis, Mapping[int, float]]
    between: float
