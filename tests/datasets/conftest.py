"""A dataset of two tiny subjects in TotalSegmentator's layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

AFFINE = np.diag([-2.0, -2.0, 3.0, 1.0])  # stored L, P, S: as many CTs are
SHAPE = (20, 18, 16)

#: Class -> slices along each stored axis that its box fills.
BOXES = {
    "hip_left": (slice(2, 8), slice(3, 9), slice(1, 12)),
    "hip_right": (slice(11, 18), slice(3, 9), slice(1, 12)),
    "vertebrae_L5": (slice(8, 11), slice(9, 14), slice(4, 12)),
    "vertebrae_S1": (slice(8, 11), slice(9, 14), slice(0, 4)),  # four slices: too few
    "liver": (slice(0, 2), slice(0, 2), slice(0, 16)),
}


def save_mask(path: Path, box: tuple[slice, ...] | None, affine: np.ndarray = AFFINE) -> None:
    voxels = np.zeros(SHAPE, dtype=np.uint8)
    if box is not None:
        voxels[box] = 1
    nib.save(nib.Nifti1Image(voxels, affine), path)


def add_subject(root: Path, name: str, *, empty: tuple[str, ...] = ()) -> None:
    masks = root / name / "segmentations"
    masks.mkdir(parents=True)
    # Noise, so that no two slices are equal.
    hu = np.random.default_rng(len(name)).normal(40, 30, SHAPE).astype(np.int16)
    for number, box in enumerate(BOXES.values()):
        hu[box] += 400 + number
    nib.save(nib.Nifti1Image(hu, AFFINE), root / name / "ct.nii.gz")
    for structure, box in BOXES.items():
        save_mask(masks / f"{structure}.nii.gz", box)
    for structure in empty:
        save_mask(masks / f"{structure}.nii.gz", None)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return the folder: s0000 as version 2 writes it, s0001 with an empty mask as version 1."""
    root = tmp_path / "data"
    add_subject(root, "s0000")
    add_subject(root, "s0001", empty=("sacrum", "skull"))
    return root


@pytest.fixture
def replace_mask(dataset: Path) -> Callable[..., None]:
    """Write another mask in the place of one of the first subject's."""

    def replace(structure: str, box=None, affine=AFFINE) -> None:
        save_mask(dataset / "s0000/segmentations" / f"{structure}.nii.gz", box, affine)

    return replace
