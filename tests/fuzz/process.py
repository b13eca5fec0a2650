"""A process that tries damaged inputs, watched from outside: it may hang or die."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from tests.fuzz.seeds import Seed
from tests.fuzz.trial import Verdict, judge, limit_memory, prepare

#: Processor time that an input may take until it is refused, or segmented, which is work and no
#: hang. A busy machine takes longer by the clock, and no more of these.
LIMIT_S, WORK_S = 10.0, 600.0
#: After so long by the clock a process is given up that neither works nor answers.
GIVE_UP_S = 3600.0
#: How often it is looked at meanwhile.
LOOK_S = 0.5
_HANG = "a hang"
#: Where the work on an input that was accepted begins.
_WORK = (
    ("voxtrail.session", "segment"),
    ("voxtrail.study.study_work", "TaskRunner"),
    ("voxtrail.study.report.build", "tables"),
)


def serve(pipe, base: Path, seeds: list[Seed], number: int) -> None:
    """Answer input numbers with verdicts, in a process of its own."""
    # ITK takes 10 s and 0.9 GiB to load, which hides what inputs take. It died here once, after
    # SimpleITK and others; that was not met again (ITK 5.4.7: all orders, 60 studies, 38,000 random
    # outlines). What kills it (SIGSEGV, SIGABRT) is a limit of address space, as this process sets
    # one, that leaves it less than it needs to load; users meet that with `ulimit -v` only.
    sys.modules["itk"] = None
    with tempfile.TemporaryDirectory() as work:
        for seed in seeds:  # whole files, which also imports everything
            folder = _fresh(Path(work))
            (folder / "in").mkdir()
            copies = seed.copy(folder / "in")
            given = folder / "in" if seed.place == "folder" else copies[0]
            verdict = judge(seed, given, base, folder)
            if verdict.code != 0:
                pipe.send(f"the whole file of {seed.name} was refused: {verdict}")
                return
        limit_memory()
        _tell_of_work(pipe)
        _load_once(base / "nano")
        pipe.send("ready")
        while True:
            index = pipe.recv()
            folder = _fresh(Path(work))
            (folder / "in").mkdir()
            seed, given = prepare(seeds, index, number, folder / "in")
            pipe.send(judge(seed, given, base, folder))


def _tell_of_work(pipe) -> None:
    """Send word whenever an input was accepted and the work on it begins."""

    def telling(work):
        def told(*arguments, **options):
            pipe.send("accepted")
            return work(*arguments, **options)

        return told

    for name, function in _WORK:
        module = import_module(name)
        setattr(module, function, telling(getattr(module, function)))


def _load_once(folder: Path) -> None:
    """Load the whole checkpoint once; damaged ones are loaded each time."""
    from voxtrail.model import weights

    load, loaded = weights.load_model, weights.load_model(str(folder))

    def remembered(name, **options):
        return loaded if name == str(folder) else load(name, **options)

    weights.load_model = remembered


def _fresh(work: Path) -> Path:
    shutil.rmtree(work)
    work.mkdir()
    return work


class Process:
    """One process that tries inputs; it is started again after a hang or a crash."""

    def __init__(self, base: Path, seeds: list[Seed], number: int) -> None:
        self._arguments = base, seeds, number
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *self._arguments), daemon=True)
        self._process.start()
        theirs.close()
        try:
            said = self._answer(GIVE_UP_S) or "it did not start"
        except EOFError:
            said = "it died before its first input"
        if said != "ready":
            raise SystemExit(said)

    def _answer(self, limit_s: float):
        """Return what the process says next; None where it works or waits for too long.

        Raises
        ------
        EOFError
            If the process died.
        """
        began_s, deadline = self._processor_s(), time.monotonic() + GIVE_UP_S
        while not self._pipe.poll(LOOK_S):
            if self._processor_s() - began_s > limit_s or time.monotonic() > deadline:
                return None
        return self._pipe.recv()

    def _processor_s(self) -> float:
        """Return seconds of processor time that the process has had."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:  # it has just ended, which the pipe tells
            return 0.0
        # After the name in brackets: user and system time are fields 14 and 15 of proc(5).
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def verdict(self, index: int) -> Verdict:
        """Try one input; one that hung is tried again, to be sure."""
        verdict = self._try(index)
        return self._try(index) if verdict.complaint.startswith(_HANG) else verdict

    def _try(self, index: int) -> Verdict:
        seeds = self._arguments[1]
        start = time.perf_counter()
        self._pipe.send(index)
        limit_s = LIMIT_S
        try:
            while (said := self._answer(limit_s)) is not None:
                if said != "accepted":
                    return said
                limit_s = WORK_S
            complaint = f"{_HANG} of over {limit_s:g} s"
        except EOFError:
            self._process.join()
            complaint = f"the process died: {self._process.exitcode}"
        self.stop()
        self._start()
        seconds = time.perf_counter() - start
        return Verdict(seeds[index % len(seeds)].name, -1, seconds, 0, complaint)

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def trials(
    base: Path, seeds: list[Seed], number: int, indices: Sequence[int]
) -> Iterator[tuple[int, Verdict]]:
    """Give the verdict of each input of a seed number."""
    process = Process(base, seeds, number)
    try:
        for index in indices:
            yield index, process.verdict(index)
    finally:
        process.stop()
