"""A bench measures what it says: everybody on the same weights, slices and prompts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voxtrail.bench import BenchPlan, run_bench, write_table
from voxtrail.bench.peers import Sam2Peer, TransformersPeer, write_random_weights
from voxtrail.bench.plan import Job, exact_jobs, jobs, memory_jobs, scene
from voxtrail.bench.worker import Worker
from voxtrail.cli.main import _run
from voxtrail.core.axis import Axis
from voxtrail.export import export
from voxtrail.model.weights import load_model


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> BenchPlan:
    weights = tmp_path_factory.mktemp("weights") / "tiny.pt"
    write_random_weights("tiny", weights)
    return BenchPlan(str(weights), 128, slices=5, labels=2, precision="float32", repeats=1)


def test_a_correction_adds_one_outline() -> None:
    plan = BenchPlan("none", 128)
    _, before = scene(plan, 2)
    _, after = scene(plan, 2, corrected=True)
    assert len(after.prompts) == len(before.prompts) + 1


def test_labels_lie_apart() -> None:
    _, prompts = scene(BenchPlan("none", 128), 9)
    first = [one.mask for one in prompts.prompts if one.slice_index == 0]
    assert len(first) == 9
    assert np.sum(first, axis=0).max() == 1


def test_peers_and_voxtrail_find_the_same(plan: BenchPlan) -> None:
    volume, prompts = scene(plan, 1)
    stack = np.ascontiguousarray(Axis.AXIAL.to_stack(volume.voxels))
    ours = Worker(plan, exact_jobs(plan)[0]).run(exact_jobs(plan)[0])
    drawn = list(prompts.prompts)
    for peer in (Sam2Peer(plan.weights, 128), TransformersPeer(plan.weights, 128)):
        masks = peer.run(stack, drawn)
        assert (masks != ours.masks).mean() < 2e-3
        assert {"image encoder", "memory attention", "memory encoder", "mask decoder"} <= set(
            peer.stopwatch.seconds
        )


def test_a_cached_run_encodes_only_once(plan: BenchPlan) -> None:
    by_key = {job.key: job for job in jobs(plan)}
    worker = Worker(plan, by_key["first"])
    first, again = worker.run(by_key["first"], "flops"), worker.run(by_key["rerun"])
    assert first.components["image encoder"] > 0
    assert again.components["image encoder"] == 0
    assert first.flops is not None
    assert first.flops > 1e9
    assert first.peak_mib is None or first.peak_mib > 100
    assert worker.run(memory_jobs(plan)[0]).components["image encoder"] == 0


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
    assert set(result["ratios"]) == {"labels-2", "rerun"}
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


def test_jobs_of_one_model_share_a_process(plan: BenchPlan) -> None:
    ours = [job for job in jobs(plan) if job.who == "voxtrail" and job.resolution == 128]
    assert len({job.worker for job in ours}) == 1
    assert Job("x", "sam2", "baseline", 128, "float32").worker not in {j.worker for j in ours}
