"""One item after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.executors.base import Executor, Item, Result, Work


@dataclass(frozen=True)
class Serial(Executor):
    """Yields each result as it is there."""

    name: ClassVar[str] = "serial"
    here: ClassVar[bool] = True

    def run(self, items: Sequence[Item], work: Work[Item, Result]) -> Iterator[tuple[Item, Result]]:
        """Work on items in their order; see `Executor.run`."""
        results_of = work.begin()
        for item in items:
            for result in results_of(item):
                yield item, result
