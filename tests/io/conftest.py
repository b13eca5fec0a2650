"""A small scan that is oblique, anisotropic and left-handed, in all 48 axis orders."""

from __future__ import annotations

import os
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from voxtrail.core.volume import LabelMap, Volume

#: (axes, flips): which axis of the first order each stored axis is, and whether it runs backwards.
ORDERS = [
    (axes, flips) for axes in permutations(range(3)) for flips in product((False, True), repeat=3)
]


def oblique_affine() -> np.ndarray:
    """Rotated by up to 20 degrees, voxels of 0.7 x 0.9 x 2.5 mm, left-handed; fits float32."""
    a, b, c = np.radians([7.0, -11.0, 20.0])
    about_x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    about_y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    about_z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    affine = np.eye(4)
    rotation = np.array(about_x) @ np.array(about_y) @ np.array(about_z)
    affine[:3, :3] = rotation @ np.diag([-0.7, 0.9, 2.5])
    affine[:3, 3] = [-101.3, 33.7, 812.1]
    return affine.astype(np.float32).astype(np.float64)


def reorder(voxels: np.ndarray, affine: np.ndarray, order) -> tuple[np.ndarray, np.ndarray]:
    """Store the same image in another axis order; worked without voxtrail's own code."""
    axes, flips = order
    stored = voxels.transpose(axes)
    moved = affine[:, [*axes, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            stored = np.flip(stored, axis)
            moved[:, 3] += moved[:, axis] * (stored.shape[axis] - 1)
            moved[:, axis] *= -1
    return stored, moved


@pytest.fixture(params=ORDERS, ids=lambda order: f"{order[0]}{order[1]}".replace(" ", ""))
def order(request):
    return request.param


@pytest.fixture
def affine() -> np.ndarray:
    return oblique_affine()


@pytest.fixture
def voxels() -> np.ndarray:
    """(5, 6, 7) int16, every voxel different, so that no flip goes unseen."""
    return np.random.default_rng(0).permutation(210).reshape(5, 6, 7).astype(np.int16) - 105


@pytest.fixture
def scan(voxels, affine) -> Volume:
    return Volume.from_stored(voxels, affine)


@pytest.fixture
def labels(affine) -> LabelMap:
    drawn = np.zeros((5, 6, 7), np.uint8)
    drawn[1:3, 2:5, 1] = 1
    drawn[1:4, 3, 4] = 2
    drawn[3, 1, 4] = 7
    return LabelMap.from_stored(drawn, affine)


@pytest.fixture
def reordered():
    return reorder


@pytest.fixture
def nifti(tmp_path):
    """Write an array as NIfTI with nibabel, header fields at will; return the path."""
    import nibabel as nib

    def save(array, affine=None, name="image.nii.gz", *, kind=nib.Nifti1Image, **fields):
        image = kind(array, np.eye(4) if affine is None else affine, dtype=array.dtype)
        path = tmp_path / name
        image.to_filename(path)
        if fields:
            import gzip

            opener = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rb") as file:
                content = file.read()
            header = image.header_class(content[: image.header_class.sizeof_hdr], check=False)
            for field, value in fields.items():
                header[field] = value
            with opener(path, "wb") as file:
                file.write(header.binaryblock + content[len(header.binaryblock) :])
        return path

    return save


@pytest.fixture
def real_ct() -> Path:
    folder = os.environ.get("VOXTRAIL_CT")
    if not folder:
        pytest.skip("VOXTRAIL_CT does not name a folder of real CTs")
    return Path(folder)
