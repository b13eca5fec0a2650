"""What every executor has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.plan import Job
from voxtrail.study.settings import Settings
from voxtrail.study.worker import Finished


@dataclass(frozen=True)
class Executor(ABC):
    """A way to have jobs done."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, jobs: Sequence[Job], settings: Settings) -> Iterator[tuple[Job, Finished]]:
        """Have jobs done, yielding every task's result once, in any order.

        Parameters
        ----------
        jobs
            What is left of a study.
        settings
            What holds for all of them.
        """
