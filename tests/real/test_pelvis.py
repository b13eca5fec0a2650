"""The main job on the real pelvis, as a user runs it: simulate, segment, evaluate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voxtrail.cli.main import _run

STRUCTURES = ("hip_left", "hip_right", "sacrum", "vertebrae_L5")
#: Mean Dice over un-prompted slices that the bundled checkpoint must keep. Signed-distance
#: interpolation between the same outlines gives about 0.5.
FLOOR = 0.64


@pytest.fixture(scope="module")
def pelvis(ct_data: Path) -> Path:
    return ct_data / "totalseg_mini" / "s0000"


def test_pelvis_from_three_outlines_a_bone(
    pelvis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = [str(pelvis / "segmentations" / f"{name}.nii.gz") for name in STRUCTURES]
    prompts, output = tmp_path / "prompts.nii.gz", tmp_path / "seg.nii.gz"
    sheet = tmp_path / "sheet.png"
    assert _run(["simulate", *masks, "-o", str(prompts)]) == 0
    command = ["segment", str(pelvis / "ct.nii.gz"), str(prompts), "-o", str(output)]
    assert _run([*command, "--model", "micro", "--overlay", str(sheet), "--quiet"]) == 0
    capsys.readouterr()
    assert _run(["evaluate", str(output), *masks, "--prompts", str(prompts), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["unprompted"]["mean"]["dice"] >= FLOOR
    assert scores["mean"]["dice"] > scores["unprompted"]["mean"]["dice"]
    assert sheet.read_bytes().startswith(b"\x89PNG")
    record = json.loads((tmp_path / "seg.json").read_text())
    assert record["model"]["name"] == "micro"
    assert [label["label"] for label in record["labels"]] == [1, 2, 3, 4]
