"""One case after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.executors.base import Executor
from voxtrail.study.plan import Job
from voxtrail.study.settings import Settings
from voxtrail.study.worker import Finished, Worker


@dataclass(frozen=True)
class Serial(Executor):
    """Yields each task as it is done."""

    name: ClassVar[str] = "serial"

    def run(self, jobs: Sequence[Job], settings: Settings) -> Iterator[tuple[Job, Finished]]:
        """Do the jobs; see `Executor.run`."""
        worker = Worker(settings)
        for job in jobs:
            for finished in worker.run(job):
                yield job, finished
