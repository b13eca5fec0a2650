"""A batch on workers: the same files as in one process, also when a worker dies on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.cli.test_batch import results, table
from tests.study.test_on_ray import busy_workers

#: What of a record depends on when and where a case was done.
PASSING = ("seconds",)


def test_an_executor_is_for_many_scans(segment_args, case, refused) -> None:
    refused(*segment_args, "--executor", "ray", words=("for many scans",), usage=True)
    refused(*segment_args, "--address", "auto", words=("--address is not for this executor",))
    refused(*segment_args, "--executor", "slurm", words=("unknown executor", "ray:"))


def lasting(record: dict) -> dict:
    return {key: value for key, value in record.items() if key not in PASSING}


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                            "ignore::ResourceWarning")  # fmt: skip
def test_workers_write_what_one_process_writes_though_one_is_killed(
    case, nano, voxtrail, monkeypatch
) -> None:
    pytest.importorskip("ray")
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([f"{root}/src", root]))
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("VOXTRAIL_TEST_MARK", str(case))  # by which workers are known
    names = "abcdefgh"
    for name in names:
        shutil.copy(case / "ct.nii.gz", case / f"ct-{name}.nii.gz")
    (case / "ct-b.nii.gz").write_bytes((case / "ct.nii.gz").read_bytes()[:200])
    rows = [
        {"image": f"ct-{name}.nii.gz", "prompts": "prompts.nii.gz", "output": name,
         "memory": "recent:k=2" if name == "c" else ""} for name in names
    ]  # fmt: skip
    cases = table(case, *rows)

    def run(folder: str, *options: object):
        return voxtrail("segment", "--cases", cases, "-o", case / folder, "--model", nano,
                        "--device", "cpu", "--crop", "none", "--json", *options)  # fmt: skip

    alone = run("alone")
    killed: list[int] = []

    def kill_one() -> None:
        until = time.monotonic() + 300
        while not killed and time.monotonic() < until:
            for process in busy_workers(case)[:1]:
                os.kill(process, signal.SIGKILL)
                killed.append(process)
            time.sleep(0.01)

    killer = threading.Thread(target=kill_one)
    killer.start()
    many = run("many", "--executor", "ray", "--workers", 2)
    killer.join()
    assert killed
    assert many.code == alone.code == 1
    assert results(many) == results(alone)
    assert results(many)["b"] == "failed"
    assert list(results(many)) == list(results(alone))
    places = sorted(path.name for path in (case / "alone").iterdir())
    assert sorted(path.name for path in (case / "many").iterdir()) == places
    for name in places:
        ours, theirs = ((case / folder / name).read_bytes() for folder in ("many", "alone"))
        if name.endswith(".json"):
            assert lasting(json.loads(ours)) == lasting(json.loads(theirs))
        else:
            assert ours == theirs
    said = run("many", "--executor", "ray", "--workers", 1)
    assert set(results(said).values()) == {"kept", "failed"}
