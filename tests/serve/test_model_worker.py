"""The model's thread: what people wait for first, long work in turns, idle work last."""

from __future__ import annotations

import threading
import time
import weakref
from concurrent.futures import CancelledError

import pytest

from voxtrail.serve.model_worker import CALLS_BEFORE_STEP, ModelWorker


@pytest.fixture
def worker():
    worker = ModelWorker()
    yield worker
    worker.close()


class Held:
    """Holds the worker until it is let go, so that what comes next queues up."""

    def __init__(self, worker: ModelWorker) -> None:
        self.gate = threading.Event()
        entered = threading.Event()

        def wait() -> None:
            entered.set()
            assert self.gate.wait(30)

        self.done = worker.call("holder", wait)
        assert entered.wait(30)

    def let_go(self) -> None:
        self.gate.set()
        self.done.result(30)


def noting(log: list, name: str, steps: int):
    for number in range(steps):
        log.append(f"{name}{number}")
        yield


def test_results_and_errors_come_back(worker):
    assert worker.call("a", lambda: 7).result(30) == 7
    with pytest.raises(ZeroDivisionError):
        worker.call("a", lambda: 1 // 0).result(30)

    def failing():
        yield
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        worker.start("a", failing()).ended.result(30)
    assert worker.call("a", lambda: 8).result(30) == 8


def test_waiting_it_holds_nothing_of_what_was_done(worker):
    class Scan:
        def shown(self) -> int:
            return 7

        def steps(self):
            yield

    for work in (
        lambda scan: worker.call("a", scan.shown).result(30),
        lambda scan: worker.start("a", scan.steps()).ended.result(30),
    ):
        scan = Scan()
        held = weakref.ref(scan)
        work(scan)
        del scan
        for _ in range(100):
            if held() is None:
                break
            time.sleep(0.05)
        assert held() is None


def test_jobs_take_turns_and_calls_come_first(worker):
    log: list[str] = []
    held = Held(worker)
    one, two = worker.start("a", noting(log, "a", 3)), worker.start("b", noting(log, "b", 2))
    call = worker.call("c", lambda: log.append("c"))
    held.let_go()
    assert one.ended.result(30)
    assert two.ended.result(30)
    call.result(30)
    assert log == ["c", "a0", "b0", "a1", "b1", "a2"]


def test_owners_of_calls_take_turns_and_a_flood_of_them_stops_no_job(worker):
    log: list[str] = []
    held = Held(worker)
    job = worker.start("job", noting(log, "j", 1))
    calls = [worker.call("greedy", lambda: log.append("g")) for _ in range(8)]
    calls.append(worker.call("modest", lambda: log.append("m")))
    held.let_go()
    for call in calls:
        call.result(30)
    assert job.ended.result(30)
    assert log.index("m") <= 1
    assert log.index("j0") <= CALLS_BEFORE_STEP


def test_a_job_is_stopped_between_steps_and_closed(worker):
    closed = threading.Event()
    stepped = threading.Event()

    def forever():
        try:
            while True:
                stepped.set()
                yield
        finally:
            closed.set()

    job = worker.start("a", forever())
    assert stepped.wait(30)
    job.stop()
    assert job.ended.result(30) is False
    assert closed.is_set()


def test_idle_work_is_replaced_and_dropped_when_a_person_asks(worker):
    log: list[str] = []
    held = Held(worker)
    worker.idle("a", noting(log, "old", 1))
    worker.idle("a", noting(log, "new", 1))
    worker.idle("b", noting(log, "b", 1))
    held.let_go()
    until(lambda: len(log) == 2)
    assert sorted(log) == ["b0", "new0"]
    held = Held(worker)
    worker.idle("a", noting(log, "dropped", 1))
    call = worker.call("a", lambda: log.append("asked"))
    held.let_go()
    call.result(30)
    worker.call("z", lambda: None).result(30)
    assert log[2:] == ["asked"]


def test_idle_work_that_fails_harms_nothing(worker):
    worker.idle("a", (1 // 0 for _ in range(3)))
    assert worker.call("b", lambda: 1).result(30) == 1


def test_the_end_stops_jobs_and_cancels_calls():
    worker = ModelWorker()
    held = Held(worker)
    job = worker.start("a", noting([], "a", 10**9))
    call = worker.call("a", lambda: 1)
    closing = threading.Thread(target=worker.close)
    closing.start()
    until(lambda: job.stopped)
    held.let_go()
    closing.join(30)
    assert job.ended.result(30) is False
    with pytest.raises(CancelledError):
        call.result(30)
    with pytest.raises(RuntimeError, match="ended"):
        worker.call("a", lambda: 1)


def until(true) -> None:
    """Wait until something holds; a test that hangs fails."""
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")
