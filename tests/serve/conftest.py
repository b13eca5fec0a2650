"""A small scan in a folder, and the tiny model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.scans import ORDERS, oblique_affine, reorder, three_blocks
from tests.serve.page import serving
from voxtrail.core.volume import Volume
from voxtrail.io import write
from voxtrail.model.base import LoadedModel
from voxtrail.model.weights import load_model


@pytest.fixture(scope="session")
def tiny(nano: Path) -> LoadedModel:
    return load_model(str(nano), device="cpu")


@pytest.fixture(scope="session")
def scan() -> Volume:
    """Oblique, anisotropic and stored in an odd order."""
    stored, affine = reorder(three_blocks()[0], oblique_affine(), ORDERS[29])
    return Volume.from_stored(np.ascontiguousarray(stored), affine)


@pytest.fixture(scope="session")
def blocks() -> np.ndarray:
    """The truth, (i, j, k) in RAS+."""
    return three_blocks()[1]


@pytest.fixture
def folder(tmp_path: Path, scan: Volume) -> Path:
    write(scan, tmp_path / "ct.nii.gz")
    return tmp_path


@pytest.fixture
def page(folder: Path, tiny: LoadedModel):
    """The page with the scan open and one label."""
    with serving(folder, tiny) as page:
        page.send("POST", "/api/open", {"path": "ct.nii.gz"})
        page.send("POST", "/api/label", {"name": "femur"})
        yield page
