"""Numbers by label: whole volumes in a file, made plane by plane of what lies in a box."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.scans import ORDERS, oblique_affine, reorder
from voxtrail.core.box import Box
from voxtrail.core.grid import Grid
from voxtrail.io.nifti.shares import write_shares

SHAPE = (5, 6, 7)
BOXES = {3: Box((1, 0, 2), (4, 6, 7)), 1: Box((0, 2, 0), (5, 3, 1))}


def parts() -> dict[int, tuple[Box, np.ndarray]]:
    rng = np.random.default_rng(3)
    return {label: (box, rng.random(box.shape, np.float32)) for label, box in BOXES.items()}


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_box_lies_in_its_volume_in_every_order(order, tmp_path: Path) -> None:
    whole = np.zeros((len(BOXES), *SHAPE), np.float32)
    for volume, label in zip(whole, sorted(BOXES), strict=True):
        box, values = parts()[label]
        volume[box.slices] = values
    stored = [reorder(volume, oblique_affine(), order) for volume in whole]
    grid = Grid(stored[0][0].shape, stored[0][1])
    write_shares(parts(), grid, tmp_path / "p.nii.gz", "probabilities")
    found = nib.load(tmp_path / "p.nii.gz")
    assert found.get_data_dtype() == np.float32
    np.testing.assert_array_equal(
        np.asarray(found.dataobj), np.stack([voxels for voxels, _ in stored], axis=-1)
    )
    np.testing.assert_allclose(found.affine, grid.affine, atol=1e-4)


def test_one_label_is_one_volume_and_half_precision_becomes_single(tmp_path: Path) -> None:
    box, values = parts()[3]
    grid = Grid(SHAPE, oblique_affine())
    for name in ("a.nii.gz", "b.nii.gz"):
        write_shares({3: (box, values.astype(np.float16))}, grid, tmp_path / name, "uncertainty")
    found = np.asarray(nib.load(tmp_path / "a.nii.gz").dataobj)
    assert (found.shape, found.dtype) == (SHAPE, np.float32)
    np.testing.assert_array_equal(
        grid.orientation().to_canonical(found)[box.slices], values.astype(np.float16)
    )
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
