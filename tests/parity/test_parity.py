"""The default policy reproduces the reference predictor, slice for slice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.parity import reference
from tests.parity.reference import Case, mask_prompt
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, PointPrompt
from voxtrail.model.weights import load_model

pytestmark = [
    # hydra, iopath and the reference warn of what they themselves use; ours stay errors
    pytest.mark.filterwarnings("ignore::DeprecationWarning:hydra.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:iopath.*"),
]

#: Greatest error of the mask logits, relative to their greatest magnitude.
BOUND = 1e-4
#: A logit this small beside the greatest one is zero to within rounding.
ROUNDING = 1e-5
SLICES = 9


@dataclass
class Pair:
    """The reference and voxtrail's model on the same weights."""

    predictor: Any
    model: Any


def make_pair(name: str, folder: Path) -> Pair:
    predictor = reference.build_reference(name)
    path = reference.save_official(predictor, folder / f"{name}.pt")
    model = load_model(str(path), resolution=reference.SIZE, device="cpu").model
    path.unlink()
    return Pair(predictor, model)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair("tiny", tmp_path_factory.mktemp("tiny"))


def assert_parity(pair: Pair, case: Case, memory: str = "recent:k=6", prompts: str = "all") -> None:
    stack = reference.slices(SLICES)
    theirs = reference.run_reference(pair.predictor, stack, case)
    ours = reference.run_voxtrail(pair.model, stack, case, prompts, memory)
    compared = 0
    for label, drawn in case.prompts.items():
        drawn_masks = {p.slice_index for p in drawn if isinstance(p, reference.MaskPrompt)}
        assert sorted(theirs[label]) == sorted(ours[label])
        for index in theirs[label]:
            if index in drawn_masks:
                # A drawn mask is ours to the pixel; the reference returns it resampled.
                continue
            expected, found = theirs[label][index], ours[label][index]
            assert reference.relative_error(found, expected) <= BOUND, (label, index)
            # Identical masks: but for pixels whose logit float32 cannot tell from 0.
            certain = np.abs(expected) > ROUNDING * np.abs(expected).max()
            assert certain.mean() > 0.999
            np.testing.assert_array_equal((found > 0)[certain], (expected > 0)[certain])
            compared += 1
    assert compared >= SLICES // 2


FIRST_MIDDLE_LAST = (mask_prompt(0), mask_prompt(4), mask_prompt(8))
BOX = BoxPrompt(1, Axis.AXIAL, 0, (18.0, 20.0, 38.0, 41.0))
ONE_CLICK = PointPrompt(1, Axis.AXIAL, 0, ((28.0, 30.0),), (True,))
CLICKS = PointPrompt(1, Axis.AXIAL, 4, ((36.0, 38.0), (5.0, 7.0)), (True, False))

CASES = {
    "first-middle-last": Case({1: FIRST_MIDDLE_LAST}),
    "reverse": Case({1: FIRST_MIDDLE_LAST}, start=8, reverse=True),
    "box": Case({1: (BOX,)}),
    "one click": Case({1: (ONE_CLICK,)}),
    "clicks in the middle, reverse": Case({1: (CLICKS,)}, start=4, reverse=True),
    "box and masks": Case({1: (BOX, mask_prompt(8))}),
    "two objects": Case(
        {1: FIRST_MIDDLE_LAST, 2: (mask_prompt(0, 9, label=2), mask_prompt(6, 9, label=2))}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_default_policy_reproduces_the_reference(tiny: Pair, case: Case) -> None:
    assert_parity(tiny, case)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_stride_reproduces_the_reference(
    tiny: Pair, stride: int, reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny.predictor, "memory_temporal_stride_for_eval", stride)
    prompt = mask_prompt(8 if reverse else 0)
    case = Case({1: (prompt,)}, start=prompt.slice_index, reverse=reverse)
    assert_parity(tiny, case, f"stride:r={stride}")


@pytest.mark.parametrize("reverse", [False, True])
def test_closest_prompts_reproduce_the_reference(
    tiny: Pair, reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny.predictor, "max_cond_frames_in_attn", 2)
    prompts = tuple(mask_prompt(index) for index in (0, 3, 5, 8))
    case = Case({1: prompts}, start=8 if reverse else 0, reverse=reverse)
    assert_parity(tiny, case, prompts="closest:n=2")


@pytest.mark.parametrize(
    ("prompt_memory", "memory"),
    [("near:tau=0.3", "recent:k=6"), ("all", "intelligent"), ("all", "recent:k=2")],
)
def test_memory_matters_with_these_weights(tiny: Pair, prompt_memory: str, memory: str) -> None:
    # Otherwise parity would hold whatever was remembered, and prove nothing.
    stack, case = reference.slices(SLICES), CASES["first-middle-last"]
    default = reference.run_voxtrail(tiny.model, stack, case)[1]
    other = reference.run_voxtrail(tiny.model, stack, case, prompt_memory, memory)[1]
    changes = [reference.relative_error(other[i], default[i]) for i in (1, 2, 3, 5, 6, 7)]
    assert max(changes) >= 100 * BOUND


def test_broken_temporal_embeddings_break_parity(tiny: Pair) -> None:
    stack, case = reference.slices(SLICES), CASES["first-middle-last"]
    default = reference.run_voxtrail(tiny.model, stack, case)[1]
    embeddings = tiny.model.network.memory_temporal_positional_encoding
    intact = embeddings.clone()
    with torch.no_grad():
        embeddings.copy_(intact.flip(0))
        broken = reference.run_voxtrail(tiny.model, stack, case)[1]
        embeddings.copy_(intact)
    assert max(reference.relative_error(broken[i], default[i]) for i in (1, 2, 3)) >= 100 * BOUND


def test_sam_2_0_reproduces_the_reference(tmp_path: Path) -> None:
    # no temporal encoding of pointers, no embedding of absent objects
    assert_parity(make_pair("tiny-2.0", tmp_path), CASES["first-middle-last"])


@pytest.mark.full
@pytest.mark.parametrize(
    "name", ["small", "base-plus", "large", "small-2.0", "base-plus-2.0", "large-2.0"]
)
def test_other_sizes_reproduce_the_reference(name: str, tmp_path: Path) -> None:
    pair = make_pair(name, tmp_path)
    assert_parity(pair, CASES["first-middle-last"])
    assert_parity(pair, CASES["reverse"])


def test_every_policy_of_the_study_runs_on_the_same_weights(tiny: Pair) -> None:
    stack, case = reference.slices(SLICES), CASES["first-middle-last"]
    for memory in ("recent:k=0", "gate:k=2", "gate:k=1,by=object", "stride:r=2"):
        found = reference.run_voxtrail(tiny.model, stack, case, "near:tau=0.1", memory)[1]
        assert all(np.isfinite(logits).all() for logits in found.values())


def test_the_reference_is_the_release_that_is_meant() -> None:
    from importlib.metadata import version

    assert re.fullmatch(r"1\.1\.0", version("sam2"))
