"""One way through a stack: on each slice the mask that the model thinks best, as SAM 2 does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.memory import MemoryPolicy
from voxtrail.model.base import SliceModel
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.propagate.propagation import Propagation
from voxtrail.propagate.schedule import Pass
from voxtrail.propagate.search.base import Search
from voxtrail.propagate.stack import Stack


@dataclass(frozen=True)
class Single(Search):
    """Settle each slice as the pass comes to it."""

    name: ClassVar[str] = "single"
    settles_at_once: ClassVar[bool] = True

    def begin(
        self,
        model: SliceModel,
        policy: MemoryPolicy,
        predictions: PredictionCache,
        stacks: Sequence[Stack],
        ways: Sequence[Sequence[Pass]],
        *,
        stream: bool = False,
    ) -> Propagation:
        """Return a propagation; see `Search.begin`."""
        return Propagation(model, policy, predictions, stacks, ways, stream=stream)
