"""A bench measures what it says: everybody on the same weights, slices and prompts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voxtrail.bench import BenchPlan, run_bench, write_table
from voxtrail.bench.contender import ContenderProcess, config_of
from voxtrail.bench.peers import Sam2Peer, TransformersPeer, write_random_weights
from voxtrail.bench.plan import BenchRun, default_labels, exact_runs, memory_runs, one_round
from voxtrail.bench.scan import SIDE, scan_and_prompts, stack_of
from voxtrail.cli.main import _run
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.export import export
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


def test_runs_of_one_model_share_a_process(plan: BenchPlan) -> None:
    ours = [run for run in one_round(plan) if run.who == "voxtrail" and run.resolution == 128]
    assert len({run.process for run in ours}) == 1
    other = BenchRun("x", "sam2", "baseline", 128, "float32")
    assert other.process not in {run.process for run in ours}


def test_as_many_labels_as_are_asked_for_and_usual_numbers_below() -> None:
    for labels, expected in ((2, [1, 2]), (4, [1, 4]), (8, [1, 4, 8])):
        assert default_labels(BenchPlan("none", 128, labels=labels)) == expected
