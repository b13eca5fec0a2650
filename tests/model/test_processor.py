"""Whether a processor multiplies bfloat16, as its system says or as a product shows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from voxtrail.cli import segment
from voxtrail.errors import OptionError
from voxtrail.model import loading, processor
from voxtrail.model.base import LoadedModel
from voxtrail.model.shortcuts import Shortcuts

AVX2 = "model name\t: AMD EPYC\nflags\t\t: fpu avx avx2 fma f16c\n"
BF16 = "flags\t\t: fpu avx2 avx512f avx512_bf16\n"
AMX = "flags\t\t: fpu avx512f amx_bf16 amx_tile\n"
OLD_AVX512 = "flags\t\t: fpu avx2 avx512f avx512bw avx512_vnni\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n"
OLD_ARM = "processor\t: 0\nFeatures\t: fp asimd\n"


@pytest.mark.parametrize(
    ("text", "able"),
    [(AVX2, 0), (BF16, 1), (AMX, 1), (OLD_AVX512, 0), (ARM, 1), (OLD_ARM, 0)],
)
def test_linux_says_what_there_is(text: str, able: int, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(processor, "_seconds", lambda kind: pytest.fail("measured"))
    assert processor.multiplies_bfloat16.__wrapped__() is bool(able)


@pytest.mark.parametrize(("bfloat16", "able"), [(0.5, True), (2.0, False)])
def test_elsewhere_a_product_shows_it(bfloat16, able, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(processor, "_seconds", {"bfloat16": bfloat16, "float32": 1.0}.get)
    assert processor.multiplies_bfloat16.__wrapped__() is able


def test_a_product_takes_time() -> None:
    assert processor._seconds("float32") > 0


def test_what_would_be_emulated_is_refused(nano: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bfloat16 = Shortcuts("bfloat16")
    monkeypatch.setattr(loading, "multiplies_bfloat16", lambda: False)
    with pytest.raises(OptionError, match=r"does not multiply bfloat16.*leave --precision out"):
        loading.load(str(nano), device="cpu", shortcuts=bfloat16)
    loading.load(str(nano), device="cpu")
    monkeypatch.setattr(loading, "multiplies_bfloat16", lambda: True)
    loading.load(str(nano), device="cpu", shortcuts=bfloat16)


@pytest.mark.parametrize(
    ("able", "runtime", "size", "told"),
    [
        (True, "torch", 1024, "--precision bfloat16"),
        (True, "torch", 256, None),
        (False, "torch", 1024, "--precision int8"),
        (False, "openvino", 1024, None),
    ],
)
def test_a_run_says_once_what_would_be_faster(
    able, runtime, size, told, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(processor, "multiplies_bfloat16", lambda: able)
    monkeypatch.setattr(processor, "multiplies_int8", lambda: True)
    model = SimpleNamespace(runtime=runtime, device="cpu", input_size=size, shortcuts=Shortcuts())
    segment.say_runtime(LoadedModel(model, "small", "", ""), quiet=False)
    said = capsys.readouterr().err
    assert said.count("--precision") == (told is not None)
    assert told is None or told in said
