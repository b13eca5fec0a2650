"""One structure of one subject, cut as the paper cuts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voxtrail.core.box import Box, Side, margin_vox
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.totalsegmentator import Structure, read_ct, read_mask
from voxtrail.errors import ImageError

#: The label of the structure in every target.
LABEL = 1


@dataclass(frozen=True, eq=False)
class Target:
    """A structure of one scan, ready to be segmented.

    Parameters
    ----------
    item
        Its row of the manifest.
    volume
        The whole scan.
    truth
        The structure alone, label 1.
    crop
        Its bounding box with the margin, in RAS+ voxels: "rough localisation". Nothing leaves it,
        so that no growth of a crop confounds a comparison.
    """

    item: Structure
    volume: Volume
    truth: LabelMap
    crop: Box


def load_target(
    root: Path, item: Structure, margin_mm: float, volume: Volume | None = None
) -> Target:
    """Read a target; ``volume`` is its scan where that has been read before.

    Raises
    ------
    ImageError, GridError
        If a file is missing or damaged, or mask and CT do not fit.
    """
    truth = read_mask(root, item.case, item.structure)
    box = Box.around(truth.voxels > 0)
    if box is None:
        raise ImageError(
            f"{item.case}/{item.structure} is empty",
            received="a mask without a voxel",
            accepted=f"the mask on {item.axial_slices} slices that the manifest was drawn from",
            remedy="unpack the dataset again",
        )
    return Target(
        item,
        volume if volume is not None else read_ct(root, item.case),
        truth,
        crop_of(box, item.shape, item.spacing_mm, margin_mm),
    )


def crop_of(
    box: Box, shape: tuple[int, int, int], spacing_mm: tuple[float, ...], margin_mm: float
) -> Box:
    """Return a bounding box with a margin on all six sides, within the scan."""
    return box.grown(margin_vox(margin_mm, spacing_mm), list(Side), Box.whole(shape))
