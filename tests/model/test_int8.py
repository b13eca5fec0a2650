"""Linear maps in 8-bit integers: near the exact ones, on any processor, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from voxtrail.errors import OptionError
from voxtrail.model import loading
from voxtrail.model.int8 import Int8Linear, in_int8
from voxtrail.model.linear import Linear
from voxtrail.model.processor import multiplies_int8
from voxtrail.model.shortcuts import Shortcuts

pytestmark = pytest.mark.skipif(not multiplies_int8(), reason="no x86 processor")


@pytest.fixture
def exact() -> Linear:
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(48, 64, generator=generator), torch.randn(48, generator=generator)
    return Linear(weight, bias, torch.float32)


def test_rounding_is_small(exact: Linear) -> None:
    tokens = torch.randn(3, 5, 64, generator=torch.Generator().manual_seed(1))
    wanted, found = exact(tokens), Int8Linear(exact)(tokens)
    assert found.shape == (3, 5, 48)
    assert found.dtype == torch.float32
    error = float((found - wanted).norm() / wanted.norm())
    assert 0 < error < 0.03


def test_a_row_of_zeros_stays_zero(exact: Linear) -> None:
    exact.weight[7] = 0
    tokens = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
    assert torch.equal(Int8Linear(exact)(tokens)[:, 7], exact.bias[7].expand(5))


def test_tokens_of_one_sign_use_the_whole_range(exact: Linear) -> None:
    tokens = torch.rand(5, 64, generator=torch.Generator().manual_seed(1)) + 100
    wanted, found = exact(tokens), Int8Linear(exact)(tokens)
    assert float((found - wanted).norm() / wanted.norm()) < 0.03
    assert torch.equal(Int8Linear(exact)(torch.zeros(5, 64)), exact.bias.expand(5, -1))


def test_tokens_need_not_lie_in_one_piece(exact: Linear) -> None:
    tokens = torch.randn(64, 5, generator=torch.Generator().manual_seed(1)).T
    assert torch.equal(Int8Linear(exact)(tokens), Int8Linear(exact)(tokens.contiguous()))


def test_every_map_within_is_replaced(exact: Linear) -> None:
    module = nn.Sequential(nn.Sequential(exact, nn.GELU()), nn.LayerNorm(48))
    in_int8(module)
    assert isinstance(module[0][0], Int8Linear)


def test_it_is_refused_where_a_gpu_runs(nano: Path, monkeypatch) -> None:
    monkeypatch.setattr("voxtrail.model.weights.resolved_device", lambda _: "cuda")
    with pytest.raises(OptionError, match="int8 is for x86 processors"):
        loading.load(str(nano), shortcuts=Shortcuts("int8"))
