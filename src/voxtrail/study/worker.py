"""A case's tasks, done one after the other; what fails is told, and the rest goes on."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from voxtrail.study.bench import Bench
from voxtrail.study.case import Case
from voxtrail.study.plan import Job
from voxtrail.study.record import Status
from voxtrail.study.settings import Settings
from voxtrail.study.tasks.base import Measured, NotHereError, Task


@dataclass(frozen=True, eq=False)
class Finished:
    """What became of one task.

    Parameters
    ----------
    task
        Which.
    status, error, finished
        As in the records.
    measured
        Empty unless it is done.
    """

    task: Task
    status: Status
    error: str | None
    finished: str
    measured: Measured


class Worker:
    """Does jobs, one at a time; models stay loaded.

    Parameters
    ----------
    settings
        Of the study.
    """

    def __init__(self, settings: Settings) -> None:
        self._bench = Bench(settings)

    def run(self, job: Job) -> Iterator[Finished]:
        """Do a job's tasks, yielding each as it is finished."""
        case: Case | None = None
        if job.item is not None:
            try:
                case = self._bench.open(job.item)
            except Exception:
                reason = traceback.format_exc()
                for task in job.tasks:
                    yield _finished(task, "failed", reason)
                return
        for task in job.tasks:
            yield self._attempt(task, case)

    def _attempt(self, task: Task, case: Case | None) -> Finished:
        try:
            measured = task.run(case, self._bench)
        except NotHereError as error:
            return _finished(task, "not-run", str(error))
        except Exception:
            # Whatever went wrong belongs to this case: it is recorded and the study goes on.
            return _finished(task, "failed", traceback.format_exc())
        return _finished(task, "done", None, measured)


def failed(job: Job, reason: str) -> list[Finished]:
    """Return all tasks of a job as failed."""
    return [_finished(task, "failed", reason) for task in job.tasks]


def _finished(
    task: Task, status: Status, error: str | None, measured: Measured | None = None
) -> Finished:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    # A name on the disk may hold bytes that are no text, which records cannot keep.
    told = error and error.encode("utf-8", "backslashreplace").decode("utf-8")
    return Finished(task, status, told, now, measured or Measured())
