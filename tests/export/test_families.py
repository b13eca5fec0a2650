"""Exported graphs of the other families agree with PyTorch over a whole stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity import reference
from tests.parity.reference import Case, mask_prompt
from tests.parity.test_parity import BOX
from voxtrail.export import export
from voxtrail.model.loading import load
from voxtrail.model.weights import load_model

#: What a memory's last bit changes in logits, of their greatest magnitude.
ROUNDED = 2e-3


@pytest.mark.full
@pytest.mark.parametrize("family", ["nano_edgetam", "nano_sam3"])
def test_an_exported_family_tracks_alike(
    family: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    loaded = load_model(str(request.getfixturevalue(family)), device="cpu")
    export(loaded, tmp_path / "exported")
    exported = load(str(tmp_path / "exported"), runtime="onnx").model
    assert exported.memory_spec == loaded.model.memory_spec
    stack = reference.slices(5)
    for case in (Case({1: (mask_prompt(0), mask_prompt(4))}), Case({1: (BOX,)})):
        theirs = reference.run_voxtrail(loaded.model, stack, case)[1]
        ours = reference.run_voxtrail(exported, stack, case)[1]
        for index in (1, 2, 3):
            assert reference.relative_error(ours[index], theirs[index]) <= ROUNDED, index
