"""The Python of README runs as it stands, but for the model, which has to be at hand."""

import re
from pathlib import Path

import numpy as np

import voxtrail as vt
from tests.scans import oblique_affine, three_blocks
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import simulate

README = Path(__file__).parents[2] / "README.md"


def test_its_python_runs(nano: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    hu, labels = three_blocks()
    monkeypatch.chdir(tmp_path)
    vt.write(Volume.from_stored(hu, oblique_affine()), "ct.nii.gz")
    vt.write_prompts(simulate(LabelMap.from_stored(labels, oblique_affine())), "prompts.nii.gz")
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        assert 'model="small"' in block
        exec(block.replace('"small"', repr(str(nano))), names)
    assert np.asarray(vt.read_labels("seg.nii.gz").voxels).any()
    assert Path("case.session.json").is_file()
    assert capsys.readouterr().out
