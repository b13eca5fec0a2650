"""EdgeTAM and SAM 3's tracker reproduce their authors' own predictors, slice for slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.parity import authors, reference
from tests.parity.authors.cases import SLICES, cases
from tests.parity.test_parity import BOUND, ROUNDING
from voxtrail.core.prompts import MaskPrompt
from voxtrail.model.base import SliceModel
from voxtrail.model.weights import load_model

pytestmark = pytest.mark.full


def assert_parity(model: SliceModel, logits: Path, shape_hw: tuple[int, int]) -> None:
    stack = reference.slices(SLICES, shape_hw)
    with np.load(logits) as held:
        theirs = {tuple(name.split("/")): held[name] for name in held.files}
    for name, case in cases(shape_hw).items():
        drawn = {one.slice_index for one in case.prompts[1] if isinstance(one, MaskPrompt)}
        ours = reference.run_voxtrail(model, stack, case)[1]
        assert sorted(str(index) for index in ours) == sorted(i for n, i in theirs if n == name)
        for index in set(ours) - drawn:
            expected, found = theirs[name, str(index)], ours[index]
            assert reference.relative_error(found, expected) <= BOUND, (name, index)
            certain = np.abs(expected) > ROUNDING * np.abs(expected).max()
            assert certain.mean() > 0.999
            np.testing.assert_array_equal((found > 0)[certain], (expected > 0)[certain])
    # Otherwise parity would hold whatever was remembered.
    case = cases(shape_hw)["first and last"]
    ours, other = (
        reference.run_voxtrail(model, stack, case, "all", memory)[1]
        for memory in ("recent:k=6", "recent:k=0")
    )
    assert max(reference.relative_error(other[i], ours[i]) for i in (2, 3, 4)) >= 100 * BOUND


def test_edgetam_reproduces_its_authors_predictor(tmp_path: Path) -> None:
    out = authors.run("edgetam", tmp_path)
    model = load_model(str(out / "weights.pt"), resolution=256, device="cpu").model
    assert_parity(model, out / "logits.npz", (96, 80))


def test_sam_3_tracker_reproduces_its_authors_predictor(tmp_path: Path) -> None:
    out = authors.run("sam3", tmp_path)
    model = load_model(str(out), device="cpu").model
    side = model.spec.drawn_side(model.input_size)
    assert_parity(model, out / "logits.npz", (side, side))
