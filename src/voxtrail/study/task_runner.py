"""The tasks of one structure, run one after the other; a failure is recorded, the rest goes on."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from voxtrail.errors import UnavailableError
from voxtrail.study.plan import TaskGroup
from voxtrail.study.record import Status
from voxtrail.study.settings import Settings
from voxtrail.study.target import Target
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.base import Measurements, Task


@dataclass(frozen=True, eq=False)
class TaskResult:
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
    measured: Measurements


class TaskRunner:
    """Runs task groups, one at a time; models stay loaded.

    Parameters
    ----------
    settings
        Of the study.
    """

    def __init__(self, settings: Settings) -> None:
        self._context = TaskContext(settings)

    def run(self, group: TaskGroup) -> Iterator[TaskResult]:
        """Run a group's tasks, yielding each result as it is finished."""
        target: Target | None = None
        if group.item is not None:
            try:
                target = self._context.open(group.item)
            except Exception:
                reason = traceback.format_exc()
                for task in group.tasks:
                    yield _finished(task, "failed", reason)
                return
        for task in group.tasks:
            yield self._attempt(task, target)

    def _attempt(self, task: Task, target: Target | None) -> TaskResult:
        try:
            measured = task.run(target, self._context)
        except UnavailableError as error:
            return _finished(task, "not-run", str(error))
        except Exception:
            # Whatever went wrong belongs to this structure: it is recorded and the study goes on.
            return _finished(task, "failed", traceback.format_exc())
        return _finished(task, "done", None, measured)


def failed(group: TaskGroup, reason: str) -> list[TaskResult]:
    """Return all tasks of a group as failed."""
    return [_finished(task, "failed", reason) for task in group.tasks]


def _finished(
    task: Task, status: Status, error: str | None, measured: Measurements | None = None
) -> TaskResult:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    # A name on the disk may hold bytes that are no text, which records cannot keep.
    told = error and error.encode("utf-8", "backslashreplace").decode("utf-8")
    return TaskResult(task, status, told, now, measured or Measurements())
