"""One pass under way: where it is, what it remembers and what it has found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from voxtrail.memory import MemorySpec, Query
from voxtrail.model.base import SlicePrediction
from voxtrail.propagate.bank import MemoryBank, Recalled
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.schedule import Pass
from voxtrail.propagate.stack import PassLogits, Stack


@dataclass(frozen=True, eq=False)
class Tracked:
    """A tracked slice: its prediction, what that is known by, and what it attended to."""

    slice_index: int
    prediction: SlicePrediction
    key: str
    recalled: Recalled


@dataclass(eq=False)
class PassState:
    """One pass over one stack.

    Parameters
    ----------
    number
        Which of the propagation's stacks.
    stack, way
        What is passed over, and in which order.
    memory_spec
        What the model's memory has room for.
    bank
        What the pass remembers.
    logits, visited, predicted_iou, tracked, stopped_at
        See `voxtrail.propagate.stack.PassLogits`.
    position
        Where in ``way`` it is.
    unfetched
        Tracked slices whose logits have not been fetched.
    finished
        Whether it has come to its end.
    """

    number: int
    stack: Stack
    way: Pass
    memory_spec: MemorySpec
    bank: MemoryBank
    logits: NDArray[np.float32]
    visited: NDArray[np.bool_]
    predicted_iou: NDArray[np.float32]
    position: int = 0
    tracked: int = 0
    unfetched: list[Tracked] = field(default_factory=list)
    stopped_at: int | None = None
    finished: bool = False

    @property
    def slice_index(self) -> int:
        """The slice that the pass is at."""
        return self.way.slices[self.position]

    @property
    def source(self) -> FeatureSource:
        """Where its features come from; other passes may share it."""
        return self.stack.features.source

    @property
    def prompted(self) -> bool:
        """Whether something was drawn on the slice that the pass is at."""
        return self.slice_index in self.stack.prompts

    def in_source(self, slice_index: int) -> int:
        """Return a slice's number in the source."""
        return self.stack.features.start + slice_index

    def ahead(self) -> tuple[int, ...]:
        """Return the slices that are still to come."""
        return self.way.slices[self.position + 1 :]

    def query(self, steps_ahead: int = 0) -> Query:
        """Return what the policy is asked at this slice, or so many slices on."""
        return Query(
            self.way.slices[self.position + steps_ahead],
            self.way.direction,
            len(self.stack.features),
            self.memory_spec,
        )

    def result(self) -> PassLogits:
        """Return what was found so far."""
        return PassLogits(
            self.logits, self.visited, self.predicted_iou, self.tracked, self.stopped_at
        )
