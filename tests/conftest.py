"""What several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

# Before PyTorch is imported, here and in every process that a test starts: tests run beside each
# other, a core each, and sums do not depend on how many threads a machine offers.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

# Equal runs try equal examples, and a busy machine fails none of them.
settings.register_profile(
    "voxtrail",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("voxtrail")


@pytest.fixture(scope="session")
def ct_data() -> Path:
    """Return the folder of real CTs that ``VOXTRAIL_CT`` names; skip where it names none."""
    place = os.environ.get("VOXTRAIL_CT")
    if not place:
        pytest.skip("set VOXTRAIL_CT to a folder with totalseg_mini to run the tests on real CT")
    return Path(place).resolve()


@pytest.fixture(scope="session")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny SAM 2 of random weights: real architecture, senseless masks."""
    from tests.nano import build

    return build(tmp_path_factory.mktemp("nano"))


@pytest.fixture(scope="session")
def exported_nano(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `nano` as ONNX graphs, which take long to write; not to be changed."""
    from voxtrail.export import export
    from voxtrail.model.weights import load_model

    folder = tmp_path_factory.mktemp("exported") / "nano"
    export(load_model(str(nano), device="cpu"), folder)
    return folder


@pytest.fixture(scope="session")
def nano_edgetam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny EdgeTAM of random weights."""
    from tests.nano_families import build_edgetam

    return build_edgetam(tmp_path_factory.mktemp("nano-edgetam"))


@pytest.fixture(scope="session")
def nano_sam3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny tracker of SAM 3 of random weights."""
    from tests.nano_families import build_sam3

    return build_sam3(tmp_path_factory.mktemp("nano-sam3"))
