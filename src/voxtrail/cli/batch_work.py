"""A batch's cases as work for an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voxtrail.cli.batch import Batch, Outcome
from voxtrail.cli.case import Engine
from voxtrail.executors import Work


@dataclass(frozen=True, eq=False)
class BatchWork(Work[int, Outcome]):
    """Do each case, by its number, and write its files where it is done.

    Parameters
    ----------
    batch
        The cases; their paths lead to the same files for every worker.
    cache
        A folder of what was encoded before; None for none.
    engine
        What cases share in this process; a worker elsewhere, where it is None, makes its own.
    quiet
        Whether nothing is said on the way.
    """

    batch: Batch
    cache: Path | None
    engine: Engine | None
    quiet: bool

    @property
    def device(self) -> str:
        """Where the model runs."""
        return self.batch.config.device

    def begin(self) -> Callable[[int], Iterator[Outcome]]:
        """Load the model, where that is not done; return what does one case."""
        from voxtrail.session.loading import load_unseen

        engine = self.engine or Engine.of(load_unseen(self.batch.config), self.cache)
        alone = self.engine is not None

        def do(number: int) -> Iterator[Outcome]:
            if alone:
                self.batch.announce(number, quiet=self.quiet)
            yield self.batch.outcome(self.batch.rows[number], engine, quiet=self.quiet or not alone)

        return do

    def given_up(self, item: int, reason: str) -> list[Outcome]:
        """Return a case as failed."""
        return [Outcome(self.batch.rows[item].output, "failed", error=reason)]
