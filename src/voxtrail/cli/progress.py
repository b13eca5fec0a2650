"""Progress on standard error: a bar on a terminal, plain lines otherwise, nothing when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from voxtrail.core.say import say

__all__ = ["progress_bar", "say"]

if TYPE_CHECKING:
    from voxtrail.session.run import Progress

#: Plain lines come at most so often, so that logs stay short.
LINE_SECONDS = 5.0


@contextmanager
def progress_bar(*, quiet: bool, unit: str = "slices") -> Iterator[Progress | None]:
    """Give a callback that shows units done, units in all, units a minute and the time left."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        yield from _bar(unit)
    else:
        yield _Lines(unit)


def _bar(unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bar,
    )

    class Rate(ProgressColumn):
        def render(self, task: Task) -> str:
            # of all that is done in all the time: tasks differ, so that a short while tells little
            return _rate(task.completed, task.elapsed or 0.0, unit)

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        tasks = {}

        def update(done: int, total: int, what: str) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield update


class _Lines:
    """Plain lines for logs and pipes."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._what = ""
        self._started = 0.0
        self._first = 0
        self._said = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if what != self._what:
            # What was done before the first word took a time that is not known here.
            self._what, self._started, self._said, self._first = what, now, now, done
        if done < total and now - self._said < LINE_SECONDS:
            return
        self._said = now
        spent = now - self._started
        new = done - self._first
        rate = f", {_rate(new, spent, self._unit)}" if new else ""
        left = f", {spent / new * (total - done):.0f} s left" if new and done < total else ""
        sys.stderr.write(f"{what}: {done}/{total} {self._unit}, {spent:.0f} s{rate}{left}\n")
        sys.stderr.flush()


def _rate(done: float, spent_s: float, unit: str) -> str:
    """Return units a minute as text; nothing before anything is done."""
    return f"{60 * done / spent_s:.3g} {unit} a minute" if done and spent_s > 0 else ""
