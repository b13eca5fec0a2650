"""What a run says of itself."""

import json
from dataclasses import replace

import pytest

import voxtrail
from voxtrail.evaluate import simulate
from voxtrail.session import Config, segment


@pytest.fixture(scope="module")
def record(scan, truth, tiny):
    config = Config(window="soft+clahe", margin_mm=2, memory="gate:k=3", extent="all")
    return segment(scan, simulate(truth), config, model=tiny).record


def test_the_record_is_json_that_builds_the_same_configuration(record):
    said = json.loads(json.dumps(record.to_json(), allow_nan=False))
    assert Config(**said["config"]) == record.config
    assert said["config"]["window"] == "soft+clahe"
    assert said["config"]["memory"] == "gate:k=3,by=iou"
    assert said["format"] == "voxtrail-run/1"
    assert "Not a medical device" in said["notice"]


def test_the_record_names_what_made_the_result(record, scan, nano):
    said = record.to_json()
    assert set(said["model"]) == {
        *("name", "source", "sha256", "input_size"),
        *("runtime", "parity", "precision", "coarse_memories", "compiled"),
    }
    assert said["model"]["source"] == str(nano)
    assert len(said["model"]["sha256"]) == 64
    assert said["device"] == "cpu"
    assert said["versions"]["voxtrail"] == voxtrail.__version__
    assert {"python", "torch", "transformers", "numpy"} <= set(said["versions"])
    assert said["grid"] == scan.stored.to_json()
    assert {"image encoder", "memory attention", "mask decoder", "total"} <= set(said["seconds"])


def test_the_record_tells_every_label_and_pass(record):
    assert [label.name for label in record.labels] == ["femur", "sacrum", "hip"]
    first = record.labels[0]
    assert [(item.axis, item.extent, item.first_slice, item.last_slice) for item in first.passes]
    assert {(item.first_slice, item.last_slice) for item in first.passes} == {(0, 8)}
    assert first.passes[0].prompted == [1, 4, 7]
    # Up from slice 1 and down from it: all but the prompted ones.
    assert [item.tracked for item in first.passes] == [5, 1]


@pytest.mark.parametrize("window", ["bone", "soft", "300,1500", "none", "clahe", "bone+clahe"])
def test_every_preprocessing_runs_and_is_recorded(window, scan, truth, bright):
    config = Config(window=window, crop="none")
    result = segment(scan, simulate(truth, labels=[1]), config, model=bright)
    assert result.record.config.window == window


def test_preprocessing_changes_what_the_model_sees(scan, truth, tiny, whole):
    prompts = simulate(truth, labels=[1])
    logits = [
        segment(scan, prompts, replace(whole, window=window), model=tiny).logits[1].logits.tobytes()
        for window in ("bone", "soft", "none", "clahe", "bone+clahe")
    ]
    assert len(set(logits)) == 5
