"""A small oblique scan, and a model that finds what is bright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.scans import three_blocks
from tests.session.conftest import BrightModel
from voxtrail.model.base import LoadedModel
from voxtrail.model.weights import load_model
from voxtrail.serve.remote.array_frame import ArrayFrame

SPACING_ZYX = (2.5, 0.9, 0.7)


@pytest.fixture
def bright() -> LoadedModel:
    return LoadedModel(BrightModel(), "bright", "a test", "0" * 64)


@pytest.fixture(scope="session")
def tiny(nano: Path) -> LoadedModel:
    return load_model(str(nano), device="cpu")


@pytest.fixture(scope="session")
def array() -> np.ndarray:
    """(z, y, x) int16 HU: three bright blocks."""
    return np.ascontiguousarray(three_blocks()[0].T)


@pytest.fixture(scope="session")
def truth() -> np.ndarray:
    """(z, y, x) bool: the brightest block."""
    return np.ascontiguousarray(three_blocks()[1].T == 3)


@pytest.fixture
def frame(array) -> ArrayFrame:
    return ArrayFrame.of(array.shape, SPACING_ZYX)
