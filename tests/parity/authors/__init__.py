"""The authors' own predictors, each run in a process of its own.

They are found in ``authors/NAME`` of the virtual environment, where ``make`` puts them without
their dependencies: EdgeTAM calls its package ``sam2`` as Meta's does, and both want a torchvision
whose compiled part does not fit this PyTorch. Each script writes random weights and what it made of
them::

    python -m tests.parity.authors.edgetam PACKAGES OUT
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: Where the packages lie.
PACKAGES = Path(sys.prefix) / "authors"
#: Operators of torchvision's compiled part that it describes when it is imported.
TORCHVISION_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def run(name: str, out: Path) -> Path:
    """Let a predictor write its weights and logits; return the folder; skip where it is missing."""
    packages = PACKAGES / name
    if not packages.is_dir():
        pytest.skip(f"the authors' {name} is not installed; 'make test-full' does it")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", f"tests.parity.authors.{name}", packages, out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return out


def import_from(packages: str) -> None:
    """Let packages of a folder come before any others, torchvision without its compiled part."""
    import torch

    sys.path.insert(0, packages)
    library = torch.library.Library("torchvision", "DEF")
    for operator in TORCHVISION_OPERATORS:
        library.define(operator)
    import torchvision  # noqa: F401

    globals()["_library"] = library  # what it defines goes with it
