"""SAM 3's tracker: its files, its sizes, its memories."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub.errors import GatedRepoError
from safetensors.torch import load_file, save_file

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.errors import OptionError, WeightsError
from voxtrail.model import hub
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.weights import load_model

SLICES = np.random.default_rng(0).random((2, 20, 24), dtype=np.float32)


@pytest.mark.parametrize("size", [112, 126, 182])
def test_the_same_weights_serve_every_input_size(nano_sam3: Path, size: int) -> None:
    model = load_model(str(nano_sam3), resolution=size, device="cpu").model
    features = model.encode(SLICES)
    step = model.prompt(features[0], [MaskPrompt(1, Axis.AXIAL, 0, SLICES[0] > 0.9)], (20, 24))
    side = size // 14
    assert step.logits.shape == (4 * side, 4 * side)
    assert model.memorise(features[:1], [step])[0].shape == (side**2, 64)
    assert model.memory_spec.max_prompts == 4


@pytest.mark.parametrize("size", [112, 126])
def test_the_encoder_is_that_of_transformers(nano_sam3: Path, size: int) -> None:
    model = load_model(str(nano_sam3), resolution=size, device="cpu").model
    grey = torch.rand(2, 1, size, size)
    images = ((grey - 0.5) / 0.5).expand(-1, 3, -1, -1)
    with torch.no_grad():
        theirs = model.network.get_image_features(images, return_dict=True)
        ours = model.encoder(grey)
    for expected, found in zip(theirs.fpn_hidden_states, (ours[1], ours[2], ours[0]), strict=True):
        flat = found.flatten(2).permute(2, 0, 1)
        assert (flat - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_the_published_sizes_are_the_specs() -> None:
    from transformers import Sam3TrackerVideoConfig

    from voxtrail.model.families.sam3_tracker import Sam3TrackerFamily

    spec, config = Sam3TrackerFamily().spec, Sam3TrackerVideoConfig()
    assert (spec.positions(1008), spec.mask_side(1008), spec.drawn_side(1008)) == (72, 288, 1152)
    assert config.image_size == 1008
    assert config.vision_config.backbone_feature_sizes[0] == [288, 288]
    assert config.max_cond_frame_num == spec.memory.max_prompts


@pytest.mark.parametrize("size", [98, 128, 1024, 2030])
def test_other_sizes_are_refused(nano_sam3: Path, size: int) -> None:
    with pytest.raises(OptionError, match="multiple of 14 from 112 to 2016"):
        load_model(str(nano_sam3), resolution=size, device="cpu")


def test_the_refusal_names_the_nearest_size() -> None:
    with pytest.raises(OptionError, match="--resolution 1022"):
        load_model("sam3-tracker", resolution=1024, device="cpu")


def test_coarse_memories_need_an_even_number_of_positions(nano_sam3: Path) -> None:
    coarse = Shortcuts(coarse_memories=True)
    with pytest.raises(OptionError, match="even number of positions"):
        load_model(str(nano_sam3), resolution=126, device="cpu", shortcuts=coarse)
    model = load_model(str(nano_sam3), resolution=112, device="cpu", shortcuts=coarse).model
    assert model.memory_tokens.position.shape[1] == 16


def whole(tracker: Path, folder: Path) -> Path:
    """Lay the tracker's weights out as in the published SAM 3, beside a detector's."""
    folder.mkdir()
    tensors = {}
    for name, value in load_file(tracker / "model.safetensors").items():
        for part in ("detector_model.", "tracker_neck."):  # shared: not under the tracker's name
            name = name.replace(f"tracker_model.{part}", part)
        tensors[name] = value
    tensors["detector_model.text_encoder.weight"] = torch.zeros(3)
    tensors["detector_model.vision_encoder.neck.fpn_layers.0.proj1.bias"] = torch.zeros(3)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((tracker / "config.json").read_text())
    held = {"model_type": "sam3_video", "tracker_config": config, "detector_config": {}}
    (folder / "config.json").write_text(json.dumps(held))
    return folder


def test_the_whole_of_sam_3_is_read_without_its_detector(nano_sam3: Path, tmp_path: Path) -> None:
    alone = load_model(str(nano_sam3), device="cpu").model
    model = load_model(str(whole(nano_sam3, tmp_path / "sam3")), device="cpu").model
    assert sorted(model.network.state_dict()) == sorted(alone.network.state_dict())
    for name, value in alone.network.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], value), name


def test_the_authors_own_file_is_refused_by_name(tmp_path: Path) -> None:
    torch.save({"tracker.maskmem_tpos_enc": torch.zeros(1)}, tmp_path / "sam3.pt")
    with pytest.raises(WeightsError, match=r"sam3\.pt is SAM 3 in its authors' own layout"):
        load_model(str(tmp_path / "sam3.pt"), device="cpu")


def test_a_download_that_needs_a_grant_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Path:
        error = GatedRepoError.__new__(GatedRepoError)
        OSError.__init__(error, "Access to model facebook/sam3 is restricted.")
        error.response = SimpleNamespace(status_code=403)
        raise error

    monkeypatch.setattr(hub, "_download", refused)
    monkeypatch.setattr(hub, "check_available", lambda *_: None)
    monkeypatch.setattr(hub, "cached", lambda *_: None)
    with pytest.raises(WeightsError, match=r"facebook/sam3 are given on request only") as caught:
        load_model("sam3-tracker", device="cpu")
    for words in ("https://huggingface.co/facebook/sam3", "hf auth login", "--model FOLDER"):
        assert words in caught.value.remedy
