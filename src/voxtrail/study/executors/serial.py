"""One structure after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.executors.base import Executor
from voxtrail.study.plan import TaskGroup
from voxtrail.study.settings import Settings
from voxtrail.study.task_runner import TaskResult, TaskRunner


@dataclass(frozen=True)
class Serial(Executor):
    """Yields each task as it is done."""

    name: ClassVar[str] = "serial"

    def run(
        self, groups: Sequence[TaskGroup], settings: Settings
    ) -> Iterator[tuple[TaskGroup, TaskResult]]:
        """Run the groups; see `Executor.run`."""
        runner = TaskRunner(settings)
        for group in groups:
            for finished in runner.run(group):
                yield group, finished
