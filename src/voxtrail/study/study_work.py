"""A study's task groups as work for an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from voxtrail.executors import Work
from voxtrail.study.plan import TaskGroup
from voxtrail.study.settings import Settings
from voxtrail.study.task_runner import TaskResult, TaskRunner, failed


@dataclass(frozen=True)
class StudyWork(Work[TaskGroup, TaskResult]):
    """Run each structure's tasks; workers only read the dataset.

    Parameters
    ----------
    settings
        Of the study.
    """

    settings: Settings

    @property
    def device(self) -> str:
        """Where the models run."""
        return self.settings.device

    def begin(self) -> Callable[[TaskGroup], Iterator[TaskResult]]:
        """Return what runs a group's tasks; models are loaded when first asked for."""
        return TaskRunner(self.settings).run

    def given_up(self, item: TaskGroup, reason: str) -> list[TaskResult]:
        """Return all tasks of a group as failed."""
        return failed(item, reason)
