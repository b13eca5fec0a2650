"""A small scan that is oblique, anisotropic and left-handed, in all 48 axis orders."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests import scans
from tests.scans import ORDERS, reorder
from voxtrail.core.volume import LabelMap, Volume


def oblique_affine() -> np.ndarray:
    """Rotated by up to 20 degrees, voxels of 0.7 x 0.9 x 2.5 mm, left-handed; fits float32."""
    affine = scans.oblique_affine()
    affine[:3, 0] *= -1
    return affine


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
