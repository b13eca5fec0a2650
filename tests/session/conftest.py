"""A small scan, its labels, the tiny model, and a model that finds what is bright."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.scans import oblique_affine, three_blocks
from voxtrail.core.prompts import Prompt
from voxtrail.core.stopwatch import Stopwatch
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.memory import MemorySpec
from voxtrail.model.base import LoadedModel, SlicePrediction, Tracking
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model
from voxtrail.session import Config


class BrightModel:
    """Finds whatever is brighter than the middle of the window, on every slice; a feature is the
    slice itself, its mask logits are 20 x (grey - 0.5).
    """

    input_size = 64
    fingerprint = "bright"
    device = "none"
    runtime = "test"
    shortcuts = Shortcuts()
    memory_spec = MemorySpec()

    def __init__(self) -> None:
        self.stopwatch = Stopwatch()
        self.encoded = 0

    def encode(self, slices: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self.encoded += len(slices)
        return list(slices)

    def prompt(
        self,
        features: NDArray[np.float32],
        prompts: Sequence[Prompt],
        shape_hw,
        *,
        previous: SlicePrediction | None = None,
        tracking: Tracking | None = None,
    ) -> SlicePrediction:
        assert features.shape == shape_hw
        return SlicePrediction(features, None, 1.0, 10.0, prompted=True, area=0.5)

    def track(self, trackings: Sequence[Tracking]) -> list[SlicePrediction]:
        return [
            SlicePrediction(tracking.features, None, 0.9, 5.0, prompted=False, area=0.5)
            for tracking in trackings
        ]

    def memorise(self, features, steps: Sequence[SlicePrediction]) -> list[None]:
        return [None] * len(steps)

    def masks(self, steps: Sequence[SlicePrediction], shape_hw) -> NDArray[np.float32]:
        return np.stack([20 * (step.logits - 0.5) for step in steps]).astype(np.float32)


@pytest.fixture
def bright() -> LoadedModel:
    return LoadedModel(BrightModel(), "bright", "a test", "0" * 64)


@pytest.fixture(scope="session")
def tiny(nano: Path) -> LoadedModel:
    return load_model(str(nano), device="cpu")


@pytest.fixture(scope="session")
def hu() -> np.ndarray:
    return three_blocks()[0]


@pytest.fixture(scope="session")
def scan(hu) -> Volume:
    return Volume.from_stored(hu, oblique_affine())


@pytest.fixture(scope="session")
def truth() -> LabelMap:
    names = {1: "femur", 2: "sacrum", 3: "hip"}
    return LabelMap.from_stored(three_blocks()[1], oblique_affine(), names)


@pytest.fixture
def whole() -> Config:
    """Whole slices: no crop, so nothing grows."""
    return Config(preset="is+sps", crop="none")
