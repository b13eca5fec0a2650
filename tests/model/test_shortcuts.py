"""What a shortcut changes is small, asked for, and said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom import demo_subject
from voxtrail.errors import OptionError
from voxtrail.evaluate import simulate
from voxtrail.model import attention
from voxtrail.model.attention import attend
from voxtrail.model.processor import multiplies_int8
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model
from voxtrail.session import Config, segment

RESULT = dict[int, np.ndarray]


@pytest.fixture(scope="module")
def phantom():
    subject = demo_subject()
    truth = LabelMap.from_stored(
        subject.masks["sacrum"].astype(np.uint8), subject.affine, {1: "sacrum"}
    )
    return Volume.from_stored(subject.hu, subject.affine), simulate(truth)


def sacrum(phantom, **options: object) -> tuple[np.ndarray, dict]:
    scan, prompts = phantom
    result = segment(scan, prompts, Config(model="micro", device="cpu", **options))
    return result.labels.voxels == 1, result.record.to_json()


@pytest.fixture(scope="module")
def exact(phantom) -> np.ndarray:
    return sacrum(phantom)[0]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


@pytest.mark.full
@pytest.mark.skipif(not shutil.which("g++"), reason="PyTorch compiles with a C++ compiler")
# PyTorch's own compiler warns of its own deprecations.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_compiled_model_finds_the_same(phantom, exact) -> None:
    mask, record = sacrum(phantom, compiled=True)
    assert record["model"]["compiled"]
    assert dice(mask, exact) > 0.999


def test_bfloat16_agrees_with_float32(phantom, exact, monkeypatch: pytest.MonkeyPatch) -> None:
    # Also where a processor would rather not: the phantom is small.
    monkeypatch.setattr("voxtrail.model.loading.multiplies_bfloat16", lambda: True)
    mask, record = sacrum(phantom, precision="bfloat16")
    assert record["config"]["precision"] == record["model"]["precision"] == "bfloat16"
    assert 0.995 <= dice(mask, exact) < 1


@pytest.mark.skipif(not multiplies_int8(), reason="no x86 processor")
def test_int8_agrees_with_float32(phantom, exact) -> None:
    mask, record = sacrum(phantom, precision="int8")
    assert record["config"]["precision"] == record["model"]["precision"] == "int8"
    assert 0.99 <= dice(mask, exact) < 1


def test_coarse_memories_change_little_and_are_recorded(phantom, exact) -> None:
    mask, record = sacrum(phantom, coarse_memories=True)
    assert record["model"]["coarse_memories"] is True
    # micro was never trained with them; 0.5 tells attention apart from noise
    assert 0.5 <= dice(mask, exact) < 1


def test_an_input_size_is_proposed_and_recorded(phantom) -> None:
    scan, prompts = phantom
    config = Config(model="micro", device="cpu", resolution="auto", roi="0:40,0:40,0:200")
    with pytest.raises(Exception, match="region"):
        segment(scan, prompts, config)
    _, record = sacrum(phantom, resolution="auto")
    assert record["config"]["resolution"] == "auto"
    assert record["model"]["input_size"] % 128 == 0


def test_features_survive_packing(nano: Path) -> None:
    slices = np.random.default_rng(0).uniform(size=(1, 40, 50)).astype(np.float32)
    for precision in ("float32", "bfloat16"):
        model = load_model(str(nano), device="cpu", shortcuts=Shortcuts(precision)).model
        (features,) = model.encode(slices)
        again = model.unpack(model.pack(features))
        assert torch.equal(again.image_embedding, features.image_embedding)
        assert torch.equal(again.fine[0], features.fine[0])


def test_precisions_do_not_share_features(nano: Path) -> None:
    models = [
        load_model(str(nano), device="cpu", shortcuts=Shortcuts(precision)).model
        for precision in ("float32", "bfloat16")
    ]
    assert models[0].fingerprint != models[1].fingerprint


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(OptionError, match="float32, bfloat16"):
        Shortcuts("float8")  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 300, 700), (6, 20, 30), (9, 130, 16)])
@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_of_queries_change_nothing(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int], weighted: bool
) -> None:
    count, wanted, given = shape
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(count, wanted, 8, generator=generator)
    keys = torch.randn(count, given, 8, generator=generator)
    values = torch.randn(count, given, 3, generator=generator)
    bias = torch.randn(given, generator=generator) if weighted else None
    whole = attend(queries, keys, values, bias)
    monkeypatch.setattr(attention, "BLOCK_BYTES", 4 * given * 50)
    monkeypatch.setattr(attention, "FEWEST_ROWS", 7)
    torch.testing.assert_close(attend(queries, keys, values, bias), whole)
    torch.testing.assert_close(attention._fused(queries, keys, values, bias), whole)


def test_a_bias_counts_a_token_several_times() -> None:
    queries, values = torch.ones(1, 1, 2), torch.tensor([[[1.0], [2.0]]])
    keys = torch.zeros(1, 2, 2)
    weighted = attend(queries, keys, values, torch.tensor([4.0, 1.0]).log())
    assert weighted.item() == pytest.approx((4 * 1.0 + 2.0) / 5)
