"""The same records from Ray as from one process, also when a worker dies on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from voxtrail.errors import OptionError
from voxtrail.executors.on_ray import OnRay
from voxtrail.executors.serial import Serial
from voxtrail.study.record import Records
from voxtrail.study.runner import run

KEYS = ["experiment", "variant", "case", "structure"]
#: What depends on when and where a task was done.
PASSING = ("finished", "image_encoder_s", "memory_attention_s", "memory_encoder_s",
           "mask_decoder_s", "total_s", "spent_s", "peak_mib", "encoded_slices")  # fmt: skip


def busy_workers(mark: Path) -> list[int]:
    """Return the processes of actors that have a structure.

    Ray writes what they do into their names; ``mark`` stands in the environment of this test's, of
    which others may run on the same machine.
    """
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            busy = (place / "cmdline").read_bytes().startswith(b"ray::_RayWorker.run")
            if busy and str(mark).encode() in (place / "environ").read_bytes():
                found.append(int(place.name))
        except OSError:  # it ended meanwhile
            continue
    return found


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                            "ignore::ResourceWarning")  # fmt: skip
def test_ray_records_what_serial_records_though_a_worker_dies(
    request_for, tmp_path, monkeypatch
) -> None:
    ray = pytest.importorskip("ray")
    root = str(Path(__file__).parents[2])
    (tmp_path / "without/itk").mkdir(parents=True)
    (tmp_path / "without/itk/__init__.py").write_text("raise ImportError('left out')\n")
    place = os.pathsep.join([str(tmp_path / "without"), f"{root}/src", root])
    monkeypatch.setenv("PYTHONPATH", place)
    # Ray's own 15 would starve the workers on a busy machine.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    names = ("stride", "slice-change", "embeddings")
    alone = request_for(*names)
    run(alone, Serial())
    many = request_for(*names, folder=tmp_path / "ray")
    killed: list[int] = []

    def kill_one(done: int, total: int, what: str) -> None:
        if not killed and (busy := busy_workers(tmp_path)):
            killed.append(busy[0])
            os.kill(busy[0], signal.SIGKILL)

    # Besides, Ray once says that it killed one because memory ran out, which is another error.
    asked = []
    get = ray.get

    def short_of_memory(reference):
        asked.append(reference)
        if len(asked) == 3:
            raise ray.exceptions.OutOfMemoryError("a test")
        return get(reference)

    monkeypatch.setattr(ray, "get", short_of_memory)
    summary = run(many, OnRay(workers=2), kill_one)
    assert killed
    assert len(asked) > 3
    assert summary.rows["failed"] == 0
    one, other = (
        Records(item.folder).frame().drop(columns=list(PASSING)) for item in (alone, many)
    )
    assert one[KEYS].to_numpy().tolist() == other[KEYS].to_numpy().tolist()
    for column in one.columns:
        first, second = one[column].to_numpy(), other[column].to_numpy()
        if one[column].dtype.kind == "f":
            np.testing.assert_allclose(first, second, rtol=1e-6, err_msg=column)
        else:
            assert one[column].fillna("").tolist() == other[column].fillna("").tolist(), column


def test_ray_missing_is_one_line(request_for, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    request = request_for("slice-change")
    with pytest.raises(OptionError, match=r"pip install 'voxtrail\[ray\]'"):
        run(request, OnRay())
