"""What every search has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from voxtrail.memory import MemoryPolicy
from voxtrail.model.base import SliceModel
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.propagate.propagation import Propagation
from voxtrail.propagate.schedule import Pass
from voxtrail.propagate.stack import Stack


class Search(ABC):
    """A way to find a structure on the slices that a pass visits."""

    #: Whether a slice is settled once the pass has left it; else only when the pass has ended, and
    #: the windows of a crop cannot follow what is found.
    settles_at_once: ClassVar[bool]

    @abstractmethod
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
        """Return a propagation that advances as it is iterated over; see `Propagation`."""
