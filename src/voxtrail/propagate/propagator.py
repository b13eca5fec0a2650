"""Carries outlines from slice to slice with a frozen model and a memory policy.

The loop itself is `voxtrail.propagate.propagation`. Nothing here knows about files, patients or
PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voxtrail.memory import MemoryPolicy
from voxtrail.model.base import SliceModel
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.propagate.propagation import Propagation
from voxtrail.propagate.schedule import Direction, Pass, passes
from voxtrail.propagate.search import Search
from voxtrail.propagate.search.single import Single
from voxtrail.propagate.stack import Stack, StackLogits

Progress = Callable[[int, int], None]


class Propagator:
    """Propagates outlines through stacks.

    Parameters
    ----------
    model
        The four calls of a SAM 2.
    policy
        Which memories a slice attends to.
    predictions
        Slices that an earlier run segmented; those whose prompts and memories are the same are
        not segmented again. By default none are kept.
    search
        How passes search; by default the single way.

    Raises
    ------
    OptionError
        If the policy asks for more than the model's memory has room for.
    """

    def __init__(
        self,
        model: SliceModel,
        policy: MemoryPolicy,
        predictions: PredictionCache | None = None,
        search: Search | None = None,
    ) -> None:
        policy.check(model.memory_spec)
        self._model = model
        self._policy = policy
        # An empty cache is false.
        self._predictions = PredictionCache(ram_bytes=0) if predictions is None else predictions
        self._search = search or Single()

    def propagate(
        self,
        stacks: Sequence[Stack],
        direction: Direction = "forward",
        progress: Progress | None = None,
    ) -> list[StackLogits]:
        """Carry every stack's outlines through it, one pass or both ways.

        Parameters
        ----------
        stacks
            Each with at least one prompted slice.
        direction
            See `voxtrail.propagate.schedule.passes`.
        progress
            Called with the number of slices done and in all.

        Returns
        -------
        list of StackLogits
            One a stack, in order.
        """
        under_way = self.start(stacks, direction)
        for _ in under_way:
            if progress:
                progress(under_way.done, under_way.total)
        return under_way.results()

    def start(
        self, stacks: Sequence[Stack], direction: Direction = "forward", *, stream: bool = False
    ) -> Propagation:
        """Return a propagation that advances as it is iterated over; see `propagate`.

        With ``stream`` each slice comes as soon as it is done; otherwise several together where
        that saves waiting for a GPU.
        """
        ways = [passes(list(s.prompts), len(s.features), direction) for s in stacks]
        return self.along(stacks, ways, stream=stream)

    def along(
        self, stacks: Sequence[Stack], ways: Sequence[Sequence[Pass]], *, stream: bool = False
    ) -> Propagation:
        """Return a propagation along the given passes; see `start`."""
        return self._search.begin(
            self._model, self._policy, self._predictions, stacks, ways, stream=stream
        )

    def run_passes(
        self, stacks: Sequence[Stack], ways: Sequence[Sequence[Pass]]
    ) -> list[StackLogits]:
        """Carry every stack's outlines along the given passes; see `propagate`."""
        under_way = self.along(stacks, ways)
        for _ in under_way:
            pass
        return under_way.results()
