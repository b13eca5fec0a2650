"""A bench measures what it says: everybody on the same weights, slices and prompts."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import voxtrail.bench.plan
import voxtrail.bench.run
import voxtrail.cli.bench
from voxtrail.bench import BenchPlan, best_precision, processes, run_bench, write_table
from voxtrail.bench.contender import ContenderProcess, Failed, Measured, config_of, serve
from voxtrail.bench.peers import Sam2Peer, TransformersPeer, write_random_weights
from voxtrail.bench.plan import BenchRun, default_labels, exact_runs, memory_runs, one_round
from voxtrail.bench.scan import SIDE, scan_and_prompts, stack_of
from voxtrail.cli.main import _run
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.export import export
from voxtrail.model.processor import multiplies_int8
from voxtrail.model.weights import load_model
from voxtrail.session import Config
from voxtrail.session.crops import bounds_of
from voxtrail.session.crops import plan as plan_crops


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> BenchPlan:
    weights = tmp_path_factory.mktemp("weights") / "tiny.pt"
    write_random_weights("tiny", weights)
    return BenchPlan(str(weights), 128, slices=5, labels=2, precision="float32", repeats=1)


def by_slice(prompts: Prompts) -> dict[int, np.ndarray]:
    return {one.slice_index: one.mask for one in prompts.of(1) if isinstance(one, MaskPrompt)}


def test_corrections_add_an_outline_or_redraw_one() -> None:
    before, added, wider, redrawn = (
        by_slice(scan_and_prompts(8, 2, spread=True, drawn=drawn)[1])
        for drawn in ("three", "added", "wider", "redrawn")
    )
    assert set(added) == set(wider) == {*before, 6}
    # Wider by a pixel on every side than what was drawn before.
    reach = np.logical_or.reduce(list(before.values()))
    for axis in (0, 1):
        drawn_on = [np.flatnonzero(mask.any(axis)) for mask in (reach, wider[6])]
        assert drawn_on[1].tolist() == list(range(drawn_on[0][0] - 1, drawn_on[0][-1] + 2))
    changed = [index for index, mask in before.items() if (mask != redrawn[index]).any()]
    assert set(redrawn) == set(before)
    assert changed == [3]


def test_labels_lie_apart() -> None:
    _, prompts = scan_and_prompts(5, 9, spread=True)
    first = [one.mask for one in prompts.prompts if one.slice_index == 0]
    assert len(first) == 9
    assert np.sum(first, axis=0).max() == 1


@pytest.mark.parametrize("slices", [5, 33])
def test_a_label_of_its_own_is_segmented_in_whole_slices_and_one_of_many_is_not(slices) -> None:
    for labels, spread in ((1, False), (2, True), (9, True)):
        volume, prompts = scan_and_prompts(slices, labels, spread=spread)

        def sizes(config: Config) -> list[tuple[int, int]]:
            bounds = bounds_of(volume, config)  # noqa: B023
            crops = plan_crops(volume, prompts, config.resolved(), bounds)  # noqa: B023
            return [crop.paths[Axis.AXIAL].size for crop in crops]

        assert sizes(Config(preset="is+sps", crop="all")) == [(SIDE, SIDE)]
        if spread:
            assert max(np.prod(size) for size in sizes(Config())) < 0.2 * SIDE**2
        else:
            assert sizes(Config(preset="baseline")) == [(SIDE, SIDE)]


def test_grey_levels_are_those_of_the_default_window() -> None:
    volume, _ = scan_and_prompts(5, 1, spread=False)
    grey = stack_of(volume)
    assert 0.2 <= grey.min() < grey.max() <= 0.9
    assert Config().window == "bone"


def test_peers_and_voxtrail_find_the_same(plan: BenchPlan) -> None:
    run = exact_runs(plan)[0]
    ours = ContenderProcess(plan, run).measure(run)
    volume, prompts = scan_and_prompts(plan.slices, 1, spread=False)
    drawn = [one for one in prompts.prompts if isinstance(one, MaskPrompt)]
    for peer in (Sam2Peer(plan.weights, 128), TransformersPeer(plan.weights, 128)):
        masks = peer.run(stack_of(volume), drawn)
        assert (masks != ours.masks).mean() < 2e-3
        assert {"image encoder", "memory attention", "memory encoder", "mask decoder"} <= set(
            peer.stopwatch.seconds
        )


def test_corrected_runs_encode_nothing_and_track_less(plan: BenchPlan) -> None:
    runs = {run.key: run for run in one_round(plan)}
    contender = ContenderProcess(plan, runs["first"])
    first = contender.measure(runs["first"], "flops")
    assert first.encoded == plan.slices
    assert first.tracked is not None
    assert first.tracked > plan.slices  # some once more, with the middle outline left out
    assert first.flops is not None
    assert first.flops > 1e9
    assert first.peak_mib is None or first.peak_mib > 100
    for key in ("rerun", "rerun-wider", "rerun-middle"):
        again = contender.measure(runs[key])
        assert again.encoded == 0
        assert again.components[0]["image encoder"] == 0
        assert again.tracked is not None
        assert 0 < again.tracked < first.tracked
    # Another round is one from nothing again.
    assert contender.measure(runs["first"]).encoded == plan.slices
    sizes = [contender.measure(run).encoded for run in memory_runs(plan)]
    assert sizes == [plan.slices, *[0] * 6]


def test_labels_together_encode_what_they_do_one_by_one(plan: BenchPlan) -> None:
    runs = {run.key: run for run in one_round(plan)}
    contender = ContenderProcess(plan, runs["is+sps"])
    together = contender.measure(runs["labels-2-default"])
    alone = contender.measure(runs["one-by-one-default"])
    assert together.encoded == alone.encoded
    assert together.tracked == alone.tracked
    assert len(alone.components) == 2
    assert alone.model_seconds() > alone.model_seconds(calls=1) > 0


def test_runs_with_default_options_set_none(plan: BenchPlan) -> None:
    default = [run for run in one_round(plan) if run.spread and run.crop is None]
    assert len(default) == 7
    for run in default:
        config = config_of(plan, run)
        assert config == Config(model=plan.weights, precision=plan.precision)


@pytest.mark.skipif(not multiplies_int8(), reason="no x86 processor")
def test_int8_runs_beside_the_precision_of_the_plan(plan: BenchPlan) -> None:
    runs = {run.key: run for run in one_round(replace(plan, variants=("int8",)))}
    run = runs["is+sps int8"]
    assert (run.runtime, run.precision, runs["is+sps"].precision) == (
        "torch int8",
        "int8",
        "float32",
    )
    found = ContenderProcess(plan, run).measure(run)
    assert found.encoded == plan.slices


@pytest.mark.full
def test_rounds_become_ratios_and_a_page(nano: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    export(load_model(str(nano), resolution=128, device="cpu"), exported)
    plan = BenchPlan(
        str(nano),
        128,
        slices=5,
        labels=2,
        peers=(),
        precision="float32",
        repeats=1,
        variants=("coarse", "openvino", "onnx"),
        exported=str(exported),
    )
    result = run_bench(plan)
    json.dumps(result)
    assert {run["who"] for run in result["runs"]} == {"voxtrail"}
    assert set(result["ratios"]) == {
        "labels-2", "labels-2-default", "rerun", "rerun-wider", "rerun-middle"
    }  # fmt: skip
    counts = {run["key"]: (run["encoded"], run["tracked"]) for run in result["runs"]}
    assert counts["is+sps"] == (5, 5)
    assert counts["labels-2"] == (5, 10)
    assert counts["rerun"][0] == 0
    agreement = result["agreement_dice"]
    assert agreement["baseline and baseline float32"] == 1.0
    assert agreement["is+sps onnx float32 and is+sps float32"] > 0.99
    assert agreement["is+sps openvino float32 and is+sps float32"] > 0.99
    assert 0.0 < agreement["is+sps coarse float32 and is+sps float32"] <= 1.0
    runtimes = {run["key"]: run["runtime"] for run in result["runs"]}
    assert runtimes["is+sps onnx float32"] == "onnx float32"
    assert runtimes["is+sps coarse float32"] == "torch float32, coarse"
    page = tmp_path / "page.md"
    write_table(result, "voxtrail bench", page)
    assert "Research use only" in page.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--peers", "nobody"),
        ("--slices", "3"),
        ("--model", "micro"),
        ("--model", "micro", "--random-weights"),
        ("--precision", "float8"),
        ("--precision", "int8"),
        ("--variants", "tensorrt"),
        ("--resolution", "96", "--peers", "transformers"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["bench", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


class Contenders:
    """In place of processes: each run takes a second, and runs of some keys fail."""

    failing: tuple[str, ...] = ()
    interrupted_at = ""

    def __init__(self, plan: BenchPlan) -> None:
        self.asked: list[str] = []

    def measure(self, run: BenchRun, look: str) -> Measured | Failed:
        if run.key == self.interrupted_at:
            raise KeyboardInterrupt
        if run.key in self.failing:
            assert run.key not in self.asked, "asked again"
            self.asked.append(run.key)
            return Failed("no unit for it")
        split = {"image encoder": 0.6, "memory attention": 0.4}
        masks = np.ones((5, 4, 4), np.bool_)
        calls = (split,) * (run.labels if run.one_by_one else 1)
        return Measured(run, 1.0, 100.0, calls, 10**9, masks, 5, 5)

    def end(self, run: BenchRun | None = None) -> None:
        pass


@pytest.fixture
def contenders(monkeypatch: pytest.MonkeyPatch) -> type[Contenders]:
    class Own(Contenders):
        pass

    monkeypatch.setattr(voxtrail.bench.run, "Processes", Own)
    monkeypatch.setattr(voxtrail.bench.run, "gigaflops", lambda *_: 75.0)
    monkeypatch.setattr(voxtrail.cli.bench, "_export", lambda *_, **__: (None, "no exporter"))
    return Own


COMMAND = ("bench", "--model", "micro", "--peers", "transformers", "--slices", "5", "--labels",
           "2", "--repeats", "1", "--quiet", "--variants", "openvino")  # fmt: skip


@pytest.mark.parametrize("as_json", [True, False])
def test_what_cannot_run_is_a_row_that_says_why(contenders, tmp_path, capsys, as_json) -> None:
    contenders.failing = ("baseline openvino bfloat16", "is+sps openvino bfloat16", "first")
    page = tmp_path / "page.md"
    assert _run([*COMMAND, "--write", str(page), *(["--json"] if as_json else [])]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    for text in (page.read_text(), said.out):
        assert text.count("no unit for it") == 3
        assert "is+sps openvino float32" in text
    assert "Not finished" not in page.read_text()
    if as_json:
        result = json.loads(said.out)
        assert set(result["failed"]) == set(contenders.failing)
        assert result["ratios"]["is+sps"] == 1.0
        assert "rerun" not in result["ratios"]


def test_everything_may_fail(contenders, tmp_path, capsys) -> None:
    plan = BenchPlan("micro", 1024, labels=2, peers=("transformers",), variants=("openvino",))
    keys = [run.key for run in one_round(plan)]
    contenders.failing = (*keys, "baseline float32", "is+sps float32")
    assert _run([*COMMAND, "--write", str(tmp_path / "page.md")]) == 1
    assert capsys.readouterr().out.count("no unit for it") == len(contenders.failing)


def test_what_was_measured_outlasts_an_interruption(contenders, tmp_path, capsys) -> None:
    contenders.interrupted_at = "first"
    contenders.failing = ("resolution-512",)
    page = tmp_path / "page.md"
    assert _run([*COMMAND, "--write", str(page)]) == 130
    for text in (page.read_text(), capsys.readouterr().out):
        assert "resolution-512" in text
        assert "no unit for it" in text
    # The rounds had not begun: only what warms up had run.
    assert "Not finished: to come are transformers, baseline, is+sps" in page.read_text()


def test_each_result_is_kept_as_it_comes(contenders) -> None:
    plan = BenchPlan("micro", 1024, slices=5, labels=2, repeats=2, peers=())
    kept: list[dict] = []
    final = run_bench(plan, keep=kept.append)
    measured = [sum(len(run["seconds_per_slice_of_each_run"]) for run in one["runs"])
                for one in kept]  # fmt: skip
    rounds = 2 * len(one_round(plan))
    assert measured == [*range(1, rounds + 1), *[rounds] * len(memory_runs(plan))]
    assert [len(one["missing"]) for one in kept[-2:]] == [1, 0]
    assert final == kept[-1]


def test_a_process_that_dies_is_a_run_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = BenchPlan("micro", 128)
    monkeypatch.setattr(processes, "serve", os._exit)  # which takes no such arguments
    held = processes.Processes(plan)
    for _ in range(2):  # and is started again
        assert held.measure(exact_runs(plan)[0], "seconds") == Failed("its process ended: exit 1")
    held.end()
    assert processes._ending(-9) == "SIGKILL, perhaps for want of memory"


def sleeps(*_: object) -> None:
    time.sleep(600)


def test_a_process_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = BenchPlan("micro", 128)
    monkeypatch.setattr(processes, "serve", sleeps)
    held = processes.Processes(plan, patience_s=0.1)
    assert held.measure(exact_runs(plan)[0], "seconds") == Failed("not done in 0 s")
    held.end()


def test_a_contender_that_cannot_be_made_says_why() -> None:
    plan = BenchPlan("micro", 128, variants=("onnx",), not_exported="no exporter")
    ours, theirs = multiprocessing.Pipe()
    serve(theirs, plan, one_round(plan)[-1])
    assert ours.recv() == Failed("no exporter")


@pytest.mark.parametrize(("able", "kind"), [(True, "bfloat16"), (False, "float32")])
def test_the_precision_is_what_the_processor_does_well(able, kind, monkeypatch) -> None:
    monkeypatch.setattr(voxtrail.bench.plan, "multiplies_bfloat16", lambda: able)
    assert best_precision("cpu") == kind
    assert best_precision("cuda") == "bfloat16"


def test_runs_of_one_model_share_a_process(plan: BenchPlan) -> None:
    ours = [run for run in one_round(plan) if run.who == "voxtrail" and run.resolution == 128]
    assert len({run.process for run in ours}) == 1
    other = BenchRun("x", "sam2", "baseline", 128, "float32")
    assert other.process not in {run.process for run in ours}


def test_as_many_labels_as_are_asked_for_and_usual_numbers_below() -> None:
    for labels, expected in ((2, [1, 2]), (4, [1, 4]), (8, [1, 4, 8])):
        assert default_labels(BenchPlan("none", 128, labels=labels)) == expected
