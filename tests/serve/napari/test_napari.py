"""napari with its own plugin, unmodified, on real CT; in an environment of its own.

python -m venv ENV && ENV/bin/pip install 'napari[pyqt5]' napari-nninteractive
VOXTRAIL_NAPARI=ENV/bin/python pytest -m full tests/serve/napari
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import voxtrail as vt
from tests.serve.remote.serving import serving
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.model.weights import load_model
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.interactions import outline, painted
from voxtrail.session import Config

SCRIPT = Path(__file__).with_name("session.py")


@pytest.mark.full
def test_a_lasso_in_napari_gives_what_segment_gives(ct_data, tmp_path):
    python = os.environ.get("VOXTRAIL_NAPARI")
    if not python or not shutil.which("xvfb-run"):
        pytest.skip("set VOXTRAIL_NAPARI to a Python with napari-nninteractive; needs xvfb-run")
    case = ct_data / "totalseg_mini" / "s0000"
    scan = vt.read(case / "ct.nii.gz")
    lying = ArrayFrame.of(scan.grid.shape[::-1], scan.grid.spacing_mm[::-1])
    array = np.ascontiguousarray(lying.to_array(scan.voxels))
    truth = lying.to_array(vt.read_labels(case / "segmentations" / "hip_left.nii.gz").mask(1))
    z = int(np.flatnonzero(truth.any(axis=(1, 2)))[truth.any(axis=(1, 2)).sum() // 2])
    np.savez(
        tmp_path / "scan.npz",
        array=array,
        spacing=np.array(scan.grid.spacing_mm[::-1]),
        polygon=_around(truth[z], z),
    )
    model = load_model("micro", device="cpu")
    with serving(model) as server:
        run = subprocess.run(
            ["xvfb-run", "-a", "-s", "-screen 0 1400x1000x24", python, str(SCRIPT), server.url,
             str(tmp_path / "scan.npz"), str(tmp_path / "out")],
            capture_output=True, text=True, timeout=900, check=False,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        )  # fmt: skip
        assert run.returncode == 0, run.stderr[-3000:]
        assert len(server.service.leases) == 0  # released at the end
    if keep := os.environ.get("VOXTRAIL_NAPARI_PICTURE"):
        shutil.copy(tmp_path / "out.png", keep)
    found = np.load(tmp_path / "out.npz")

    start = [int(low) for low, _ in found["bounds"]]
    drawn = outline(painted(found["crop"] > 0, start, lying))
    prompt = MaskPrompt(1, drawn.axis, drawn.slice_index, drawn.mask)
    expected = vt.segment(
        lying.volume(array), Prompts((prompt,), lying.stored), Config(extent="object"), model=model
    )
    volume = lying.to_array(expected.labels.mask(1))
    assert volume.any(axis=(1, 2)).sum() > 5
    np.testing.assert_array_equal(found["lasso"] > 0, volume)
    np.testing.assert_array_equal(found["undone"] > 0, volume)
    np.testing.assert_array_equal(found["stored"] > 0, volume)
    assert not found["next"].any()
    assert np.flatnonzero(found["box"].any(axis=(1, 2))).tolist() == [z]
    assert found["run"].any(axis=(1, 2)).sum() > 1
    assert not found["reset"].any()


def _around(mask: np.ndarray, z: int) -> np.ndarray:
    """Return the vertices (z, y, x) of a polygon around the largest part of a slice."""
    import contourpy

    lines = contourpy.contour_generator(z=mask.astype(float)).lines(0.5)
    longest = max(lines, key=len)[:-1]  # (x, y), the first vertex once
    return np.column_stack([np.full(len(longest), float(z)), longest[:, 1], longest[:, 0]])
