"""A process for every contender, so that what one of them dies of ends no other."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any

from voxtrail.bench.contender import Failed, Look, Measured, serve
from voxtrail.bench.plan import BenchPlan, BenchRun
from voxtrail.model import LARGE_PAGES


class Processes:
    """Starts each contender's process when it is first needed.

    Parameters
    ----------
    plan
        What the bench runs.
    patience_s
        How long a process may take to answer before it is ended; None waits.
    """

    def __init__(self, plan: BenchPlan, patience_s: float | None = None) -> None:
        self._plan = plan
        self._patience_s = patience_s
        self._context = multiprocessing.get_context("spawn")
        self._held: dict[tuple[str, int, str, str | None], tuple[Any, Any]] = {}

    def measure(self, run: BenchRun, look: Look) -> Measured | Failed:
        """Do one run, or say why it cannot be done."""
        if run.process not in self._held and (failed := self._start(run)):
            return failed
        self._held[run.process][1].send((run, look))
        answer: Measured | Failed = self._answer(run)
        return answer

    def _start(self, run: BenchRun) -> Failed | None:
        ours, theirs = self._context.Pipe()
        # Peers as their own packages leave PyTorch.
        os.environ[LARGE_PAGES] = "1" if run.who == "voxtrail" else "0"
        process = self._context.Process(target=serve, args=(theirs, self._plan, run), daemon=True)
        process.start()
        theirs.close()
        self._held[run.process] = process, ours
        answer = self._answer(run)
        if isinstance(answer, Failed):
            self.end(run)
            return answer
        return None

    def _answer(self, run: BenchRun) -> Any:
        process, connection = self._held[run.process]
        try:
            if self._patience_s is not None and not connection.poll(self._patience_s):
                process.kill()
                process.join()
                del self._held[run.process]
                return Failed(f"not done in {self._patience_s:.0f} s")
            return connection.recv()
        except EOFError:
            process.join()
            del self._held[run.process]
            return Failed(f"its process ended: {_ending(process.exitcode)}")

    def end(self, run: BenchRun | None = None) -> None:
        """End a run's process, or all."""
        for key in [run.process] if run else list(self._held):
            process, connection = self._held.pop(key, (None, None))
            if process is None:
                continue
            if process.is_alive():
                connection.send(None)
            process.join()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name
    return f"exit {code}"
