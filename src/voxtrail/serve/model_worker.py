"""One thread in which everything runs that needs the model, in small steps that take turns.

A model is shared by sessions and is no faster for two callers at once. So there is one thread, and
work comes in three kinds: what a person waits for (`call`), what goes on for long and is stepped
through (`start`), and what may be useful soon (`idle`). What a person waits for comes first, idle
work last; within a kind, owners take turns.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")
#: So many things that people wait for are done between two steps of long work, at most.
CALLS_BEFORE_STEP = 4
#: Seconds that a step may go on when all is to end.
END_S = 30.0


class Job:
    """Work under way: an iterator that is stepped through until it ends.

    Parameters
    ----------
    owner
        Whose it is: owners take turns.
    steps
        The work; each item of it is one step, and what it yields is nobody's business.

    Attributes
    ----------
    ended
        Holds True when all is done and False when it was stopped before; or the exception with
        which it ended.
    """

    def __init__(self, owner: Hashable, steps: Iterator[Any]) -> None:
        self.owner = owner
        self.steps = steps
        self.ended: Future[bool] = Future()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let it end after the step that it is in; `ended` says when."""
        self._stopped.set()


class ModelWorker:
    """The thread. It starts with the first work and ends with `close`."""

    def __init__(self) -> None:
        self._calls: deque[tuple[Hashable, Callable[[], Any], Future[Any]]] = deque()
        self._jobs: deque[Job] = deque()
        self._idle: dict[Hashable, Iterator[Any]] = {}
        self._calls_in_a_row = 0
        self._last_owner: Hashable = None
        self._waiting = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def call(self, owner: Hashable, function: Callable[[], Result]) -> Future[Result]:
        """Have a function called before any further step of long work; return its result to come.

        The owner's idle work is dropped: a person has come to ask for something.
        """
        future: Future[Result] = Future()
        with self._waiting:
            self._idle.pop(owner, None)
            self._calls.append((owner, function, future))
            self._wake()
        return future

    def start(self, owner: Hashable, steps: Iterator[Any]) -> Job:
        """Have an iterator stepped through, in turn with those of other owners."""
        job = Job(owner, steps)
        with self._waiting:
            self._idle.pop(owner, None)
            self._jobs.append(job)
            self._wake()
        return job

    def idle(self, owner: Hashable, steps: Iterator[Any]) -> None:
        """Have an iterator stepped through while there is nothing else, in place of its last one.

        An exception ends it, and nobody is told: it will be met again where the work is needed.
        """
        with self._waiting:
            self._idle[owner] = steps
            self._wake()

    def close(self) -> None:
        """Stop all work after the step that it is in, and wait (not for ever) for the thread."""
        with self._waiting:
            self._closed = True
            for job in self._jobs:
                job.stop()
            self._waiting.notify_all()
        if self._thread is not None:
            self._thread.join(END_S)

    def _wake(self) -> None:
        if self._closed:
            raise RuntimeError("the model's worker has ended")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="model", daemon=True)
            self._thread.start()
        self._waiting.notify_all()

    def _run(self) -> None:
        while (step := self._next()) is not None:
            step()
            del step  # it holds what it was done on: waiting, the thread would keep that alive
        for job in self._jobs:
            _end(job, done=False)
        for _, _, future in self._calls:
            future.cancel()

    def _next(self) -> Callable[[], None] | None:
        """Return what to do next, waiting for it; None at the end."""
        with self._waiting:
            while not (self._closed or self._calls or self._jobs or self._idle):
                self._waiting.wait()
            if self._closed:
                return None
            if self._calls and not (self._jobs and self._calls_in_a_row >= CALLS_BEFORE_STEP):
                self._calls_in_a_row += 1
                call = self._in_turn()
                return lambda: _answer(*call)
            self._calls_in_a_row = 0
            if self._jobs:
                job = self._jobs.popleft()
                return lambda: self._step(job)
            owner, steps = next(iter(self._idle.items()))
            del self._idle[owner]
            return lambda: self._step_idle(owner, steps)

    def _in_turn(self) -> tuple[Callable[[], Any], Future[Any]]:
        """Return a call, of another owner than the last one where there is one."""
        owners = [owner for owner, _, _ in self._calls]
        at = next((n for n, owner in enumerate(owners) if owner != self._last_owner), 0)
        self._last_owner, function, future = self._calls[at]
        del self._calls[at]
        return function, future

    def _step(self, job: Job) -> None:
        """Do one step of a job and put it behind the others."""
        if job.stopped:
            _end(job, done=False)
            return
        try:
            next(job.steps)
        except StopIteration:
            _end(job, done=not job.stopped)
            return
        except BaseException as error:  # told to whoever waits for the job
            job.ended.set_exception(error)
            return
        with self._waiting:
            self._jobs.append(job)

    def _step_idle(self, owner: Hashable, steps: Iterator[Any]) -> None:
        try:
            next(steps)
        except Exception:
            # Its end, or a failure that comes again where a person asks for the same.
            return
        with self._waiting:
            # Unless there is newer idle work, or a person has asked for something meanwhile.
            asked = any(one == owner for one, _, _ in self._calls)
            if owner not in self._idle and not asked:
                self._idle[owner] = steps


def _answer(function: Callable[[], Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # told to whoever asked
        future.set_exception(error)
    else:
        future.set_result(result)


def _end(job: Job, *, done: bool) -> None:
    """Close a job's iterator and say that it has ended."""
    try:
        close = getattr(job.steps, "close", None)
        if close is not None:
            close()
    except BaseException as error:
        job.ended.set_exception(error)
    else:
        job.ended.set_result(done)
