"""Families of models: what loads a checkpoint, and what it says of its sizes and memory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import Sam2VideoConfig

from voxtrail.core.memory_spec import SAM2_MEMORY, MemorySpec
from voxtrail.errors import OptionError, WeightsError
from voxtrail.model.catalogue import CATALOGUE
from voxtrail.model.families import FAMILIES, Checkpoint, family_of
from voxtrail.model.families.base import memory_of
from voxtrail.model.families.sam2 import Sam2Family
from voxtrail.model.loading import nearest_input
from voxtrail.model.spec import ModelSpec
from voxtrail.model.weights import load_model


@pytest.mark.parametrize("name", FAMILIES.members())
def test_a_family_says_what_it_takes(name: str) -> None:
    family = FAMILIES.parse(name)
    spec = family.spec
    assert spec.family == name
    assert family.accepted
    assert ModelSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    for size in (spec.smallest_input, spec.largest_input):
        spec.check_input(size)
        assert size % spec.stride == 0
    for size in (
        spec.smallest_input - spec.input_multiple,
        spec.smallest_input + 1,
        spec.largest_input + spec.input_multiple,
    ):
        with pytest.raises(OptionError, match=f"multiple of {spec.input_multiple}"):
            spec.check_input(size)
    assert not family.recognises(Checkpoint(Path(), "", {"model_type": "bert"}, {}))


def test_named_models_are_of_a_family() -> None:
    assert {entry.family for entry in CATALOGUE.values()} <= set(FAMILIES.members())


def test_sam_2_has_the_published_memory_unless_its_configuration_says_otherwise() -> None:
    assert memory_of(Sam2VideoConfig()) == SAM2_MEMORY
    other = Sam2VideoConfig(num_maskmem=4, max_object_pointers_in_encoder=8, max_cond_frame_num=4)
    assert memory_of(other) == MemorySpec(3, 3, 8, 4)


def test_a_loaded_model_says_what_it_is(nano: Path) -> None:
    model = load_model(str(nano), device="cpu").model
    assert model.memory_spec == SAM2_MEMORY
    assert model.spec == Sam2Family().spec


def test_a_folder_of_another_model_is_refused(nano: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(nano, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "sam_hq"}))
    with pytest.raises(WeightsError, match=r"config\.json is not SAM 2's") as caught:
        load_model(str(folder))
    assert "sam_hq" in caught.value.received
    for network in ("Sam2VideoModel", "EdgeTamVideoModel", "Sam3TrackerVideoModel"):
        assert network in caught.value.accepted


def test_a_file_of_another_model_is_refused() -> None:
    import torch

    checkpoint = Checkpoint(Path("other.pt"), "", {}, {"encoder.weight": torch.zeros(1)})
    with pytest.raises(WeightsError, match=r"other\.pt is not SAM 2's") as caught:
        family_of(checkpoint)
    assert "encoder.weight" in caught.value.received


def test_a_proposed_size_is_brought_to_the_nearest_that_a_named_model_takes(nano: Path) -> None:
    assert nearest_input("small", 576) == 576
    assert nearest_input("edgetam", 576) == 512
    assert nearest_input("edgetam", 192) == 256
    assert nearest_input("sam3-tracker", 1024) == 1022
    assert nearest_input(str(nano), 576) == 576
