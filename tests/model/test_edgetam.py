"""EdgeTAM: its files, its sizes, its memories."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.errors import OptionError, WeightsError
from voxtrail.model import official_edgetam
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model

SLICES = np.random.default_rng(0).random((2, 20, 24), dtype=np.float32)


def changed(folder: Path, place: Path, **changes: object) -> Path:
    """Copy a checkpoint with another configuration."""
    shutil.copytree(folder, place)
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, **changes}))
    return place


@pytest.mark.parametrize("size", [256, 512])
def test_the_same_weights_serve_every_input_size(nano_edgetam: Path, size: int) -> None:
    model = load_model(str(nano_edgetam), resolution=size, device="cpu").model
    features = model.encode(SLICES)
    step = model.prompt(features[0], [MaskPrompt(1, Axis.AXIAL, 0, SLICES[0] > 0.9)], (20, 24))
    assert step.logits.shape == (size // 4, size // 4)
    # as many tokens as the perceiver makes, whatever the size
    assert model.memorise(features[:1], [step])[0].shape == (16 + 64, 64)


def test_memories_of_a_batch_are_those_of_one(nano_edgetam: Path) -> None:
    model = load_model(str(nano_edgetam), device="cpu").model
    features = model.encode(SLICES)
    steps = [
        model.prompt(one, [MaskPrompt(1, Axis.AXIAL, i, SLICES[i] > 0.9)], (20, 24))
        for i, one in enumerate(features)
    ]
    together = model.memorise(features, steps)
    alone = model.memorise(features[1:], steps[1:])
    assert torch.allclose(together[1].float(), alone[0].float(), atol=0.02, rtol=0.02)


def test_the_encoder_is_that_of_transformers(nano_edgetam: Path) -> None:
    model = load_model(str(nano_edgetam), device="cpu").model
    grey = torch.rand(2, 1, 256, 256)
    mean, std = (
        torch.tensor(one)[:, None, None] for one in (model.spec.image_mean, model.spec.image_std)
    )
    with torch.no_grad():
        theirs = model.network.get_image_features((grey - mean) / std, return_dict=True)
        ours = model.encoder(grey)
    for expected, found in zip(theirs.fpn_hidden_states, (ours[1], ours[2], ours[0]), strict=True):
        flat = found.flatten(2).permute(2, 0, 1)
        assert (flat - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("size", [128, 320, 1000, 4096])
def test_other_sizes_are_refused(nano_edgetam: Path, size: int) -> None:
    with pytest.raises(OptionError, match="multiple of 256 from 256 to 2048"):
        load_model(str(nano_edgetam), resolution=size, device="cpu")


def test_a_named_model_is_refused_a_size_before_its_download() -> None:
    with pytest.raises(OptionError, match=r"multiple of 256.*--resolution 1024"):
        load_model("edgetam", resolution=1008, device="cpu")


def test_coarse_memories_are_refused(nano_edgetam: Path) -> None:
    with pytest.raises(OptionError, match="cannot be made coarser"):
        load_model(str(nano_edgetam), device="cpu", shortcuts=Shortcuts(coarse_memories=True))


def test_bfloat16_is_near(nano_edgetam: Path) -> None:
    exact = load_model(str(nano_edgetam), device="cpu").model
    narrow = load_model(str(nano_edgetam), device="cpu", shortcuts=Shortcuts("bfloat16")).model
    one, other = exact.encode(SLICES)[0], narrow.encode(SLICES)[0]
    difference = (one.image_embedding - other.image_embedding).abs().max()
    assert 0 < difference < 0.1 * one.image_embedding.abs().max()


def test_a_file_in_the_authors_layout_is_read(nano_edgetam: Path, tmp_path: Path) -> None:
    from tests.nano_families import official_edgetam_state

    state = official_edgetam_state(nano_edgetam)
    assert official_edgetam.is_official(state)
    converted = official_edgetam.convert(state)
    network = load_model(str(nano_edgetam), device="cpu").model.network
    expected = {
        name: value
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert sorted(converted) == sorted(expected)
    for name, value in expected.items():
        assert torch.equal(converted[name], value), name
    # Of the published sizes, which these are not: the file is recognised and does not fit.
    torch.save({"model": state}, tmp_path / "edgetam.pt")
    with pytest.raises(WeightsError, match=r"the checkpoint edgetam\.pt does not fit"):
        load_model(str(tmp_path / "edgetam.pt"), device="cpu")


def test_another_backbone_is_refused(nano_edgetam: Path, tmp_path: Path) -> None:
    config = json.loads((nano_edgetam / "config.json").read_text())
    config["vision_config"]["backbone_config"]["architecture"] = "repvit_m3"
    folder = changed(nano_edgetam, tmp_path / "m3", vision_config=config["vision_config"])
    with pytest.raises(WeightsError, match="another than the published") as caught:
        load_model(str(folder), device="cpu")
    assert "repvit_m3" in caught.value.received


def test_a_configuration_of_something_else_is_refused(nano_edgetam: Path, tmp_path: Path) -> None:
    folder = changed(nano_edgetam, tmp_path / "odd", num_maskmem="seven")
    with pytest.raises(WeightsError, match="not a EdgeTamVideoModel's"):
        load_model(str(folder), device="cpu")
