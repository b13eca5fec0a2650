"""All measures of one mask against another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import GridError
from voxtrail.metrics.distance import assd, hausdorff, hausdorff95, surface_dice
from voxtrail.metrics.overlap import dice, iou, volume_ml
from voxtrail.metrics.surface import surface_distances


@dataclass(frozen=True)
class Scores:
    """How alike a prediction and the truth are.

    Parameters
    ----------
    dice, iou
        0..1; 1 if both masks are empty.
    hausdorff_mm, hausdorff_vox, hausdorff95_mm, assd_mm
        Surface distances; 0 if both masks are empty, None if one is. In voxels: every voxel
        counts as a cube of side 1.
    surface_dice_1vox
        Share of the surface voxels that lie at most one voxel from the other surface, measured in
        voxels: to a face neighbour, whatever the spacing.
    surface_dice_2mm
        Share of the surface voxels that lie at most 2 mm from the other surface.
    volume_ml, truth_volume_ml
        Of the prediction and of the truth.
    """

    dice: float
    iou: float
    hausdorff_mm: float | None
    hausdorff_vox: float | None
    hausdorff95_mm: float | None
    assd_mm: float | None
    surface_dice_1vox: float
    surface_dice_2mm: float
    volume_ml: float
    truth_volume_ml: float

    def to_json(self) -> dict[str, float | None]:
        """Return the measures by name."""
        return asdict(self)


def score(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing_mm: Sequence[float]
) -> Scores:
    """Measure a prediction against the truth.

    Parameters
    ----------
    prediction, truth
        (i, j, k) bool of one shape; either may be empty.
    spacing_mm
        Voxel size along each array axis.

    Raises
    ------
    GridError
        If the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise GridError(
            "prediction and truth have different shapes",
            received=f"{prediction.shape} and {truth.shape}",
            accepted="two masks of one shape",
            remedy="compare masks on one grid",
        )
    in_mm = surface_distances(prediction, truth, spacing_mm)
    in_voxels = surface_distances(prediction, truth, (1.0,) * prediction.ndim)
    return Scores(
        dice=dice(prediction, truth),
        iou=iou(prediction, truth),
        hausdorff_mm=hausdorff(in_mm),
        hausdorff_vox=hausdorff(in_voxels),
        hausdorff95_mm=hausdorff95(in_mm),
        assd_mm=assd(in_mm),
        surface_dice_1vox=surface_dice(in_voxels, 1.0),
        surface_dice_2mm=surface_dice(in_mm, 2.0),
        volume_ml=volume_ml(prediction, spacing_mm),
        truth_volume_ml=volume_ml(truth, spacing_mm),
    )
