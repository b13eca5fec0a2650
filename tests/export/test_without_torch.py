"""An exported model segments where neither PyTorch nor transformers is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.scans import oblique_affine, three_blocks
from voxtrail.export import export
from voxtrail.model.weights import load_model

ROOT = Path(__file__).resolve().parents[2]
#: What `voxtrail segment` needs besides a runtime; torch and transformers are not among it.
NEEDED = (
    "contourpy", "matplotlib", "nibabel", "numpy", "pillow", "pydicom", "rich", "safetensors",
    "scikit-image", "scipy", "SimpleITK", "typer",
)  # fmt: skip


@pytest.mark.full
def test_a_bare_environment_segments(nano: Path, tmp_path: Path) -> None:
    export(load_model(str(nano), device="cpu"), tmp_path / "export")
    hu, labels = three_blocks()
    outlined = np.where(np.isin(np.arange(labels.shape[2]), (3, 5)), labels, 0)
    for name, voxels in (("ct", hu), ("prompts", outlined.astype(np.uint8))):
        image = nibabel.Nifti1Image(voxels, oblique_affine())
        nibabel.save(image, tmp_path / f"{name}.nii.gz")
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=True)
    python = str(bare / "bin" / "python")
    constraints = ("-c", str(ROOT / "constraints.txt"))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints]
    subprocess.run([*pip, *NEEDED, "onnxruntime", "openvino"], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def segment(runtime: str, interpreter: str, model: Path) -> np.ndarray:
        output = tmp_path / f"{runtime}.nii.gz"
        command = [interpreter, "-c", "from voxtrail.cli.main import main; main()", "segment"]
        files = [tmp_path / "ct.nii.gz", tmp_path / "prompts.nii.gz", "-o", output]
        options = ["--model", model, "--runtime", runtime, "--quiet"]
        done = subprocess.run(
            [str(part) for part in (*command, *files, *options)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        record = json.loads((tmp_path / f"{runtime}.json").read_text())
        assert record["model"]["runtime"] == runtime
        return np.asarray(nibabel.load(output).dataobj)

    for package in ("torch", "transformers"):
        assert subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode
    masks = [segment(runtime, python, tmp_path / "export") for runtime in ("onnx", "openvino")]
    expected = segment("torch", sys.executable, nano)
    for mask in masks:
        assert (mask != expected).mean() < 2e-3
        assert mask.any()
