"""What every executor has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.plan import TaskGroup
from voxtrail.study.settings import Settings
from voxtrail.study.task_runner import TaskResult


@dataclass(frozen=True)
class Executor(ABC):
    """A way to have task groups run."""

    name: ClassVar[str]

    @abstractmethod
    def run(
        self, groups: Sequence[TaskGroup], settings: Settings
    ) -> Iterator[tuple[TaskGroup, TaskResult]]:
        """Run task groups, yielding every task's result once, in any order.

        Parameters
        ----------
        groups
            What is left of a study.
        settings
            What holds for all of them.
        """
