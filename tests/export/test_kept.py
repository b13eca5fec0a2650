"""Exports that are made by themselves: when, where, once, and only where they are the same."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import voxtrail as vt
from tests.scans import oblique_affine, three_blocks
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import WeightsError
from voxtrail.evaluate import simulate
from voxtrail.export import export, kept
from voxtrail.export.parity import Parity, parity
from voxtrail.model.base import LoadedModel
from voxtrail.model.exported import DESCRIPTION
from voxtrail.model.loading import load
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model
from voxtrail.session import loading


@pytest.fixture(scope="module")
def exact(nano: Path) -> LoadedModel:
    return load_model(str(nano), device="cpu")


@pytest.fixture(scope="module")
def made(exact: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an export that no test writes to."""
    place = tmp_path_factory.mktemp("made") / "nano"
    export(exact, place)
    return place


@pytest.fixture
def exports(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let models of any size be exported, into a cache of the test's own; return where they were.

    What was exported before is linked to: exporting is tried elsewhere, and takes its time.
    """
    written: list[Path] = []

    def link(loaded: LoadedModel, folder: Path, progress) -> None:
        progress("encode")
        folder.mkdir()
        for file in made.iterdir():
            (folder / file.name).symlink_to(file)
        written.append(folder)

    monkeypatch.setattr("voxtrail.export.write.export", link)
    monkeypatch.setattr(kept, "LEAST_INPUT", 0)
    monkeypatch.setenv("VOXTRAIL_CACHE", str(tmp_path / "cache"))
    return written


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_an_export_is_the_same_call_by_call(exact: LoadedModel, made: Path, runtime: str) -> None:
    found = parity(exact.model, load(str(made), runtime=runtime).model)
    assert found.proved
    assert 0 < found.error < 1e-4
    assert found.memory_error <= 2**-7


def test_another_models_export_is_not_the_same(exact: LoadedModel, made: Path) -> None:
    other = load(str(made))
    other.model._no_memory = other.model._no_memory + 0.01
    assert not parity(exact.model, other.model).proved


def test_many_slices_export_once_and_few_take_what_is_there(exact, exports, capfd) -> None:
    few, many = kept.LEAST_SLICES - 1, kept.LEAST_SLICES
    assert kept.fastest(exact, few) is exact
    fast = kept.fastest(exact, many, quiet=False)
    said = capfd.readouterr().err
    assert f"kept in {exports[0]}" in said
    assert "exporting encode" in said
    assert fast.model.runtime == "openvino"
    assert fast.parity is not None
    assert (fast.name, fast.source, fast.sha256) == (exact.name, exact.source, exact.sha256)
    for slices in (0, few, many):
        again = kept.fastest(exact, slices, quiet=False)
        assert (again.model.runtime, again.parity) == ("openvino", fast.parity)
    assert len(exports) == 1
    assert capfd.readouterr().err == ""


def test_an_export_is_of_these_weights_this_size_and_this_version(
    exact, exports, monkeypatch
) -> None:
    kept.fastest(exact, 100)
    kept.fastest(replace(exact, sha256="0" * 64), 100)
    monkeypatch.setattr(kept.voxtrail, "__version__", "99")
    kept.fastest(exact, 100)
    assert len(set(exports)) == 3
    first, other, newer = exports
    assert (first.exists(), other.exists(), newer.exists()) == (False, True, True)


def test_what_differs_is_not_used_and_the_run_says_so(exact, exports, monkeypatch, capfd) -> None:
    monkeypatch.setattr(kept, "parity", lambda *_: Parity(2e-3, 0.0))
    for _ in range(2):  # the second time by what the first has found
        loaded = kept.fastest(exact, 100, quiet=False)
        assert loaded.model is exact.model
        assert "differs from PyTorch by 2.0e-03" in loaded.notes[0]
        assert "run by PyTorch" in capfd.readouterr().err
    # Another version of the runtime is compared again.
    proof = json.loads((exports[0] / kept.PROOF).read_text())
    (exports[0] / kept.PROOF).write_text(json.dumps({**proof, "runtime": "openvino 1.0"}))
    monkeypatch.setattr(kept, "parity", lambda *_: Parity(1e-6, 0.0))
    assert kept.fastest(exact, 100).parity == 1e-6


def test_what_cannot_be_exported_is_run_by_pytorch_and_the_run_says_so(
    exact, exports, monkeypatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("voxtrail.export.write.export", full)
    loaded = kept.fastest(exact, 100)
    assert loaded.model is exact.model
    assert "No space left on device" in loaded.notes[0]


@pytest.mark.parametrize("file", ["encode.onnx", "constants.safetensors", DESCRIPTION])
@pytest.mark.parametrize("left", [None, 0, 100])
def test_a_damaged_export_is_removed_and_made_anew(exact, exports, file, left, capfd) -> None:
    kept.fastest(exact, 100)
    (folder,) = exports
    whole = (folder / file).read_bytes()
    (folder / file).unlink()  # a link
    if left is not None:
        (folder / file).write_bytes(whole[:left])
    again = kept.fastest(exact, 1, quiet=False)
    assert (again.model, again.notes) == (exact.model, ())
    assert f"removed: {folder}" in capfd.readouterr().err
    assert not folder.exists()
    assert kept.fastest(exact, 100).model.runtime == "openvino"
    assert exports == [folder, folder]


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
@pytest.mark.parametrize("file", ["decode_mask.onnx", "constants.safetensors"])
def test_a_damaged_export_is_refused_by_its_file(made, tmp_path, runtime, file) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    os.truncate(folder / file, 1000)
    with pytest.raises(WeightsError, match=f"{file} cannot be opened"):
        load(str(folder), runtime=runtime)


def test_where_nothing_is_gained_nothing_is_exported(exact, exports, nano, monkeypatch) -> None:
    coarse = load_model(str(nano), device="cpu", shortcuts=Shortcuts(coarse_memories=True))
    assert kept.fastest(coarse, 100) is coarse
    monkeypatch.setattr(kept, "LEAST_INPUT", 512)
    assert kept.fastest(exact, 100) is exact
    monkeypatch.setattr(kept, "LEAST_INPUT", 0)
    monkeypatch.setattr(kept, "find_spec", lambda name: None if name == "onnxscript" else True)
    assert kept.fastest(exact, 100) is exact
    monkeypatch.setattr(kept, "find_spec", lambda _: None)
    assert kept.fastest(exact, 100) is exact
    assert exports == []


def test_a_run_counts_its_slices_and_records_what_ran_it(nano, exports, monkeypatch) -> None:
    hu, labelled = three_blocks()
    volume = Volume.from_stored(hu, oblique_affine())
    truth = LabelMap.from_stored(labelled, oblique_affine())
    prompts = simulate(truth, "first-last")
    spans = [np.ptp([one.slice_index for one in prompts.of(n)]) + 1 for n in prompts.labels()]
    config = vt.Config(model=str(nano), device="cpu", quality=False)
    monkeypatch.setattr(kept, "LEAST_SLICES", sum(spans) + 1)
    plain = vt.segment(volume, prompts, config)
    assert (plain.record.model["runtime"], plain.record.model["parity"]) == ("torch", None)
    monkeypatch.setattr(kept, "LEAST_SLICES", sum(spans))
    assert (
        vt.segment(volume, prompts, replace(config, runtime="torch")).record.model["runtime"]
        == "torch"
    )
    fast = vt.segment(volume, prompts, config)
    assert fast.record.model["runtime"] == "openvino"
    assert 0 < fast.record.model["parity"] < 1e-4
    assert loading._slices(volume, prompts, replace(config, crop="all")) < sum(spans)
