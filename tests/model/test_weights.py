"""Weights from a folder, an official file, the hub's cache: all frozen, all the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt
from voxtrail.errors import OptionError, WeightsError
from voxtrail.model import hub, official
from voxtrail.model.catalogue import CATALOGUE
from voxtrail.model.torch_model import TorchSliceModel
from voxtrail.model.weights import load_model

SLICES = np.random.default_rng(0).random((2, 20, 24), dtype=np.float32)


def network(model: TorchSliceModel) -> torch.nn.Module:
    return model._net


def test_a_model_is_frozen(nano: Path) -> None:
    loaded = load_model(str(nano), device="cpu").model
    assert not network(loaded).training
    assert not any(value.requires_grad for value in network(loaded).parameters())
    before = {name: value.clone() for name, value in network(loaded).state_dict().items()}
    features = loaded.encode(SLICES)
    step = loaded.prompt(features[0], [BoxPrompt(1, Axis.AXIAL, 0, (2, 2, 9, 9))], (20, 24))
    loaded.memorise(features[:1], [step])
    after = network(loaded).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("size", [64, 96, 128])
def test_the_same_weights_serve_every_input_size(nano: Path, size: int) -> None:
    model = load_model(str(nano), resolution=size, device="cpu").model
    features = model.encode(SLICES)
    step = model.prompt(features[0], [MaskPrompt(1, Axis.AXIAL, 0, SLICES[0] > 0.9)], (20, 24))
    assert model.input_size == size
    assert step.logits.shape == (size // 4, size // 4)
    assert model.memorise(features[:1], [step])[0].shape == ((size // 16) ** 2, 64)
    assert model.masks([step], (20, 24)).shape == (1, 20, 24)


def test_features_do_not_depend_on_the_batch(nano: Path) -> None:
    model = load_model(str(nano), device="cpu").model
    together = model.encode(SLICES)
    alone = model.encode(SLICES[1:])
    ours, theirs = together[1].image_embedding, alone[0].image_embedding
    # A batch of another size adds up in another order: some 1e-6 of the greatest in float32.
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def cache_of(repository: str, source: Path, place: Path) -> None:
    """Lay out the hub's cache as its own client does after a download."""
    folder = place / f"models--{repository.replace('/', '--')}"
    revision = "0123456789abcdef0123456789abcdef01234567"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    shutil.copytree(source, folder / "snapshots" / revision)


def test_names_are_taken_from_the_hubs_cache(
    nano: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = CATALOGUE["small"].repository
    assert repository is not None
    assert hub.cached(repository, None) is None
    cache_of(repository, nano, tmp_path)
    assert load_model("small", device="cpu").sha256 == load_model(str(nano), device="cpu").sha256
    assert load_model(repository, device="cpu").source.startswith(str(tmp_path))


def test_off_line_and_not_cached_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=r"hf download facebook/sam2\.1-hiera-large.*micro"):
        load_model("large")


def test_published_sizes_are_named_for_both_versions() -> None:
    sizes = {"tiny", "small", "base-plus", "large"}
    assert sizes | {f"{size}-2.0" for size in sizes} | {"micro"} <= set(CATALOGUE)
    assert CATALOGUE["small"].repository == "facebook/sam2.1-hiera-small"
    assert CATALOGUE["small-2.0"].repository == "facebook/sam2-hiera-small"
    assert set(official.OFFICIAL_SIZES) == sizes


@pytest.mark.parametrize("resolution", [100, 32, 4096, -64])
def test_resolutions_that_do_not_fit_are_refused(nano: Path, resolution: int) -> None:
    with pytest.raises(OptionError, match="multiple of 32"):
        load_model(str(nano), resolution=resolution)


@pytest.fixture(scope="module")
def official_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.parity import reference

    predictor = reference.build_reference("tiny")
    return reference.save_official(predictor, tmp_path_factory.mktemp("pt") / "tiny.pt")


def test_an_official_file_gives_the_same_model_as_a_folder_of_safetensors(
    official_file: Path, tmp_path: Path
) -> None:
    from_file = load_model(str(official_file), resolution=64, device="cpu").model
    network(from_file).save_pretrained(tmp_path)
    from_folder = load_model(str(tmp_path), resolution=64, device="cpu").model
    ours, theirs = from_file.encode(SLICES), from_folder.encode(SLICES)
    assert torch.equal(ours[0].image_embedding, theirs[0].image_embedding)
    assert torch.equal(ours[0].fine[0], theirs[0].fine[0])


def test_an_official_file_runs_at_1024_unless_told_otherwise(official_file: Path) -> None:
    assert load_model(str(official_file), device="cpu").model.input_size == 1024


def test_a_missing_tensor_is_named(official_file: Path, tmp_path: Path) -> None:
    state = torch.load(official_file, weights_only=True)["model"]
    del state["memory_encoder.out_proj.weight"]
    torch.save({"model": state}, tmp_path / "less.pt")
    with pytest.raises(WeightsError, match=r"1 missing: memory_encoder\.projection\.weight"):
        load_model(str(tmp_path / "less.pt"))


def test_an_unknown_tensor_is_named(official_file: Path, tmp_path: Path) -> None:
    state = torch.load(official_file, weights_only=True)["model"]
    state["adapter.weight"] = torch.zeros(1)
    torch.save({"model": state}, tmp_path / "more.pt")
    with pytest.raises(WeightsError, match=r"1 unused: adapter\.weight"):
        load_model(str(tmp_path / "more.pt"))


def test_a_bare_state_dict_loads_too(official_file: Path, tmp_path: Path) -> None:
    torch.save(torch.load(official_file, weights_only=True)["model"], tmp_path / "bare.pt")
    assert load_model(str(tmp_path / "bare.pt"), resolution=64).model.input_size == 64
