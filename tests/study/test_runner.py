"""Runs, and what is left after them: sharing, resuming, failing, refusing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.datasets.manifest import write_manifest
from voxtrail.errors import InputError, OutputError
from voxtrail.executors.serial import Serial
from voxtrail.model.torch_model import TorchSliceModel
from voxtrail.study.experiments import experiments
from voxtrail.study.pictures import Pictures
from voxtrail.study.plan import encodings
from voxtrail.study.record import Identity, Records, row_of
from voxtrail.study.runner import prepare, run
from voxtrail.study.settings import Settings
from voxtrail.study.study_file import read_study
from voxtrail.study.target import crop_of
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.base import Measurements, Picture
from voxtrail.study.tasks.outlines import draw
from voxtrail.study.tasks.track_outlines import TrackOutlines

KEYS = ["experiment", "variant", "case", "structure"]


@pytest.fixture
def encoded(monkeypatch) -> Counter:
    """Count the slices that are encoded, by input size."""
    counts: Counter = Counter()
    encode = TorchSliceModel.encode

    def counting(self, slices):
        counts[self.input_size] += len(slices)
        return encode(self, slices)

    monkeypatch.setattr(TorchSliceModel, "encode", counting)
    return counts


def test_table_vi_encodes_each_slice_once_an_axis(request_for, encoded) -> None:
    request = request_for("stride", "gating", "slicing", "propagation", "threshold", per_type=1)
    run(request, Serial())
    once = 0
    for item in request.chosen.structures:
        crop = crop_of(item.box, item.shape, item.spacing_mm, 4.0)
        once += sum(crop.shape)  # three-axis passes use all three
    assert encoded == {64: once}
    frame = Records(request.folder).frame()
    assert frame.encoded_slices[frame.experiment == "gating"].sum() < once
    # one at a time each of these rows would have encoded its own slices
    tracked = frame[frame.task.str.contains('"task": "track"')].drop_duplicates(["task", *KEYS[2:]])
    alone = sum(
        sum(crop_of(item.box, item.shape, item.spacing_mm, 4.0).shape[axis.value] for axis in axes)
        for item in request.chosen.structures
        for axes in (
            [Axis.AXIAL] if '"axes": ["axial"]' in task else list(Axis)
            for task in tracked.task[
                (tracked.case == item.case) & (tracked.structure == item.structure)
            ]
        )
    )
    assert alone > 10 * once


def test_the_plan_counts_what_is_then_encoded(request_for, encoded) -> None:
    request = request_for("propagation", "threshold", per_type=1)
    left, _ = prepare(request)
    expected = sum(encodings(left.groups, 4.0).values())
    run(request, Serial())
    assert sum(encoded.values()) == expected


def test_a_crop_around_the_outlines_is_encoded_for_itself_and_charged_for_all(
    data, manifest, nano
) -> None:
    settings = Settings(data, model=str(nano), device="cpu", margin_mm=4.0)
    context = TaskContext(settings)
    target = context.open(manifest.structures[0])
    papers = TrackOutlines()
    own = replace(papers, crop="label", margin_mm=2.0)
    measured = [
        task.run(target, context) for task in (papers, own, own, replace(own, prior="shape"))
    ]
    configs = [json.loads(item.config) for item in measured]
    assert [item["crop"] for item in configs] == ["none", "label", "label", "label"]
    assert [item["roi"] is None for item in configs] == [False, True, True, True]
    assert [item["margin_mm"] for item in configs] == [20.0, 2.0, 2.0, 2.0]
    assert [item["prior"].split(":")[0] for item in configs] == ["none", "none", "none", "shape"]
    # Another crop sees other pixels; what it has encoded is found by tasks with the same crop.
    assert [bool(item.encoded_slices) for item in measured] == [True, True, False, False]
    for item in measured[2:]:
        assert item.image_encoder_s == pytest.approx(
            sum(one.image_encoder_s for one in measured[:2])
            / sum(one.encoded_slices for one in measured[:2])
            * measured[1].encoded_slices
        )
        assert item.total_s > item.image_encoder_s


def test_rows_are_unique_and_whole(request_for) -> None:
    request = request_for("final", "slice-change", "embeddings", per_type=1)
    summary = run(request, Serial())
    frame = Records(request.folder).frame()
    assert not frame.duplicated(KEYS).any()
    assert len(frame) == 2 * (7 + 12) + 21
    done = frame[(frame.experiment == "final") & (frame.status == "done")]
    tracked = done[done.weights_sha256.notna()]
    assert len(tracked) == 2 * 5
    for column in ("dice", "iou", "unprompted_dice", "total_s", "image_encoder_s", "input_size"):
        assert tracked[column].notna().all()
    assert (tracked.total_s >= tracked.image_encoder_s).all()
    assert summary.rows["failed"] == 0


def test_a_task_of_several_experiments_is_done_once_and_copied_later(request_for, encoded) -> None:
    run(request_for("slicing", per_type=1), Serial())
    before = sum(encoded.values())
    summary = run(request_for("stride", per_type=1), Serial())
    # stride 1 is sliced 6; the rivals are the same too, where they are installed
    assert summary.copied >= 2 * 2
    assert sum(encoded.values()) > before  # strides 2 and 4
    frame = Records(request_for("stride").folder).frame().set_index(KEYS)
    for case, structure in {index[2:] for index in frame.index}:
        one = frame.loc[("slicing", "sliced 6", case, structure)]
        assert frame.loc[("stride", "stride 1", case, structure)].equals(one)


def test_a_finished_study_does_nothing(request_for, encoded) -> None:
    run(request_for("stride", per_type=1), Serial())
    before = sum(encoded.values())
    summary = run(request_for("stride", per_type=1), Serial())
    assert summary.rows["done"] == 0
    assert sum(encoded.values()) == before


def test_what_fails_is_recorded_and_retried_alone(request_for, monkeypatch) -> None:
    track = TrackOutlines.run

    def failing(self, case, context):
        if case.item.structure == "hip_left" and self.memory == "stride:r=2":
            raise RuntimeError("no luck")
        return track(self, case, context)

    monkeypatch.setattr(TrackOutlines, "run", failing)
    request = request_for("stride")
    summary = run(request, Serial())
    hips = sum(item.structure == "hip_left" for item in request.manifest.structures)
    assert hips > 0
    assert summary.rows["failed"] == hips
    frame = Records(request.folder).frame()
    failed = frame[frame.status == "failed"]
    assert set(failed.structure) == {"hip_left"}
    assert failed.error.str.contains("RuntimeError: no luck").all()
    assert failed.dice.isna().all()

    monkeypatch.setattr(TrackOutlines, "run", track)
    assert run(request, Serial()).rows["done"] == 0  # a failure is not tried again by itself
    again = run(replace(request, retry_failed=True), Serial())
    assert again.rows["done"] == hips
    frame = Records(request.folder).frame()
    assert (frame.status != "failed").all()
    assert not frame.duplicated(KEYS).any()


def test_a_damaged_scan_fails_its_case_only(request_for, data, tmp_path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    ct = copy / "s0001/ct.nii.gz"
    ct.write_bytes(b"\x00" * ct.stat().st_size)  # as long as the manifest says
    request = request_for("stride")
    request = replace(request, settings=replace(request.settings, root=copy))
    run(request, Serial())
    frame = Records(request.folder).frame()
    assert set(frame.case[frame.status == "failed"]) == {"s0001"}
    assert (frame.status[frame.case == "s0000"] != "failed").all()


def test_weights_that_are_not_here_are_not_run(request_for, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    request = request_for("model-scale")
    summary = run(request, Serial())
    assert summary.rows["not-run"] >= 4 * 4
    frame = Records(request.folder).frame()
    assert frame.error[frame.variant == "tiny"].str.contains("facebook/sam2.1-hiera-tiny").all()
    assert (frame.status[frame.variant == "the study's model"] == "done").all()


@pytest.mark.parametrize("change", ["model", "margin", "manifest"])
def test_another_study_is_not_mixed_in(request_for, change, tmp_path) -> None:
    run(request_for("slice-change"), Serial())
    request = request_for("slice-change")
    if change == "model":
        settings = replace(request.settings, resolution=96)
    else:
        settings = replace(request.settings, margin_mm=8.0 if change == "margin" else 4.0)
    request = replace(request, settings=settings)
    if change == "manifest":
        request = replace(request, manifest=request.manifest.first_of_each_type(1))
    with pytest.raises(InputError, match="the folder holds another study"):
        run(request, Serial())


def test_fewer_of_each_type_are_part_of_the_same_study(request_for) -> None:
    run(request_for("slice-change", per_type=1), Serial())
    folder = request_for("slice-change").folder
    assert len(Records(folder).frame()) == 2 * 12
    run(request_for("slice-change"), Serial())
    assert len(Records(folder).frame()) == 4 * 12


def test_a_full_disk_ends_the_run_and_keeps_what_is_there(request_for, monkeypatch) -> None:
    import pyarrow.parquet as pq

    write, written = pq.write_table, []

    def filling(table, place, **options):
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(place)
        write(table, place, **options)

    monkeypatch.setattr(pq, "write_table", filling)
    request = request_for("slice-change")
    with pytest.raises(OutputError, match="No space left on device"):
        run(request, Serial())
    monkeypatch.setattr(pq, "write_table", write)
    assert len(Records(request.folder).frame()) == 3
    run(request, Serial())
    assert len(Records(request.folder).frame()) == 4 * 12


def test_a_killed_run_loses_and_doubles_nothing(request_for, data, nano, tmp_path) -> None:
    request = request_for("final", "slicing", per_type=1)
    place = tmp_path / "manifest.csv"
    write_manifest(request.manifest, place)
    command = [
        sys.executable, "-c", "from voxtrail.cli.main import main; main()",
        "study", "run", "final", "slicing", "--manifest", str(place), "--root", str(data),
        "-o", str(request.folder), "--model", str(nano), "--margin", "4", "--device", "cpu",
        "--per-type", "1",
    ]  # fmt: skip
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and _rows(request.folder) < 12:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = _done(request.folder)
    assert finished
    run(request, Serial())
    frame = Records(request.folder).frame()
    assert finished <= _done(request.folder)  # what was done is still as it was
    assert not frame.duplicated(KEYS).any()
    rows = sum(len(item.variants) for item in request.experiments)
    assert len(frame) == rows * len(request.chosen.structures)


def _done(folder: Path) -> set[tuple]:
    frame = Records(folder).frame()
    frame = frame[frame.status == "done"]
    return set(frame[[*KEYS, "finished"]].itertuples(index=False, name=None))


def _rows(folder: Path) -> int:
    try:
        return len(Records(folder).frame())
    except InputError:
        return 0


def test_pictures_show_the_result(request_for) -> None:
    request = request_for("final", per_type=1)
    run(request, Serial())
    item = next(item for item in request.chosen.structures if item.bone_type == "hip")
    picture = Pictures(request.folder).find(item.case, item.structure, "IS + SPS")
    assert picture is not None
    assert picture.grey.shape == picture.truth.shape == picture.found.shape
    assert picture.prompted[0]
    assert picture.prompted[-1]
    outlined = picture.prompted
    assert (picture.found[outlined] == picture.truth[outlined]).all()


def test_crops_have_a_margin_within_the_scan() -> None:
    crop = crop_of(Box((0, 5, 5), (4, 10, 10)), (10, 12, 30), (2.0, 2.0, 5.0), 10.0)
    assert (crop.start, crop.stop) == ((0, 0, 3), (9, 12, 12))


def test_noise_is_the_same_for_every_method(request_for, data) -> None:
    request = request_for("noisy-prompts")
    case = TaskContext(request.settings).open(request.manifest.structures[0])
    clean = draw(case, "uniform:5", ("axial",), None)
    one, other = (draw(case, "uniform:5", ("axial",), "jagged:mm=4") for _ in range(2))
    for a, b, c in zip(one.prompts, other.prompts, clean.prompts, strict=True):
        assert np.array_equal(a.mask, b.mask)
        assert not np.array_equal(a.mask, c.mask)


def test_noise_stays_in_the_crop(request_for) -> None:
    request = request_for("noisy-prompts")
    context = TaskContext(replace(request.settings, margin_mm=0.0))
    case = context.open(request.manifest.structures[0])
    for prompt in draw(case, "uniform:5", ("axial",), "dilated:mm=40").prompts:
        rows, columns = case.crop.in_stack(prompt.axis, case.volume.grid.shape)[1:]
        assert prompt.mask.any()
        assert prompt.mask.sum() == prompt.mask[rows, columns].sum()


def test_experiments_of_the_paper_are_all_here() -> None:
    assert {item.place for item in experiments(["all"])} > {"Table I", "Table VII", "Figure 5"}


def test_damaged_records_are_refused_or_mean_the_same(tmp_path) -> None:
    """Without checksums a changed bit would pass for a measured score."""
    records = Records(tmp_path)
    rows = [
        row_of(
            Identity("final", str(number), "s0", "sacrum", "sacrum", "done", None, "{}", "now"),
            Measurements(scores={"dice": number / 7}, total_s=0.1 * number),
        )
        for number in range(20)
    ]
    records.add("s0", "sacrum", rows)
    place = tmp_path / "records/s0/sacrum.parquet"
    whole, frame = place.read_bytes(), records.frame()
    random = np.random.default_rng(0)
    refused = []
    for offset in random.integers(0, len(whole), 150):
        content = bytearray(whole)
        content[offset] ^= 1 << int(random.integers(8))
        place.write_bytes(content)
        try:
            found = records.frame()
        except InputError as error:
            refused.append(str(error))
        else:
            assert found.equals(frame), offset
    assert len(refused) > 50
    for said in refused:
        assert "holds no records of this version" in said
        assert "\n" not in said


def test_rows_that_do_not_say_what_they_are_of_are_refused(request_for) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = request_for("final").folder / "records/s0/hip_left.parquet"
    place.parent.mkdir(parents=True)
    pq.write_table(pa.table({"dice": [0.5]}), place)
    with pytest.raises(InputError, match="a row without its experiment"):
        Records(place.parents[2]).frame()


@pytest.mark.parametrize("harm", [lambda data: data[:-9], lambda data: b"", lambda data: b"PK" * 9,
                                  lambda data: data[:90] + b"\xff\0" + data[92:]])  # fmt: skip
def test_damaged_pictures_are_refused(harm, tmp_path) -> None:
    grey = np.zeros((2, 4, 5), np.uint8)
    mask, number = grey > 0, np.arange(2, dtype=np.int64)
    pictures = Pictures(tmp_path)
    pictures.add("s0", "sacrum", "baseline", Picture(grey, mask, mask, number, number > 0))
    place = tmp_path / "pictures/s0/sacrum.npz"
    place.write_bytes(harm(place.read_bytes()))
    for look in (
        lambda: pictures.find("s0", "sacrum", "baseline"),
        lambda: pictures.add("s0", "sacrum", "IS + SPS", Picture(grey, mask, mask, number, mask)),
    ):
        with pytest.raises(InputError, match="holds no pictures"):
            look()


def test_a_picture_whose_header_ends_in_a_bracket_is_refused(tmp_path) -> None:
    place = tmp_path / "pictures/s0/sacrum.npz"
    place.parent.mkdir(parents=True)
    header = b"{'descr': '|u1', 'shape': (2,\n"
    with zipfile.ZipFile(place, "w") as archive:
        content = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header
        archive.writestr("baseline/grey.npy", content)
    with pytest.raises(InputError, match="holds no pictures"):
        Pictures(tmp_path).find("s0", "sacrum", "baseline")


@pytest.mark.parametrize("odd", [{"grey": np.zeros((2, 4))}, {"grey": np.zeros((9, 4, 5), "u1")},
                                 {"more": np.zeros(2)}])  # fmt: skip
def test_pictures_whose_parts_do_not_fit_are_refused(odd, tmp_path) -> None:
    grey = np.zeros((2, 4, 5), np.uint8)
    parts = {"grey": grey, "truth": grey > 0, "found": grey > 0,
             "slices": np.arange(2, dtype=np.int64), "prompted": np.ones(2, np.bool_)}  # fmt: skip
    place = tmp_path / "pictures/s0/sacrum.npz"
    place.parent.mkdir(parents=True)
    np.savez(place, **{f"baseline/{name}": array for name, array in (parts | odd).items()})
    with pytest.raises(InputError, match="holds no pictures; received: arrays of"):
        Pictures(tmp_path).find("s0", "sacrum", "baseline")


def test_a_member_that_is_no_array_is_refused(tmp_path) -> None:
    place = tmp_path / "pictures/s0/sacrum.npz"
    place.parent.mkdir(parents=True)
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("baseline/grey.npy", b"dear diary")
    with pytest.raises(InputError, match="holds no pictures"):
        Pictures(tmp_path).find("s0", "sacrum", "baseline")


ACCOUNT = {
    "format": "voxtrail-study/1",
    "study": {"manifest": "0" * 16, "structures": 2, "model": "nano", "weights_sha256": "0" * 64,
              "input_size": 64, "margin_mm": 20},
    "runs": [{"started": "2026-11-25", "device": "cpu", "machine": {}, "versions": {}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other/1"}, "no format"),
        ({"study": []}, "study is no object"),
        ({"study": ACCOUNT["study"] | {"input_size": True}}, "study without its input_size"),
        ({"study": ACCOUNT["study"] | {"weights_sha256": None}}, "without its weights_sha256"),
        ({"runs": []}, "no list of runs"),
        ({"runs": [3]}, "a run is no object"),
        ({"runs": [{"started": "2026-11-25"}]}, "a run without its device"),
    ],
)
def test_an_account_that_is_none_is_refused(change, words, tmp_path) -> None:
    place = tmp_path / "study.json"
    place.write_text(json.dumps(ACCOUNT))
    assert read_study(tmp_path)["study"]["model"] == "nano"
    place.write_text(json.dumps(ACCOUNT | change))
    with pytest.raises(InputError, match=f"the folder holds no study; received: .*{words}"):
        read_study(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[1]", "\xff"])
def test_an_account_that_is_no_json_is_refused(text, tmp_path) -> None:
    (tmp_path / "study.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="the folder holds no study"):
        read_study(tmp_path)
