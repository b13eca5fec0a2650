"""Outlines carried through a structure by the model, along several pathways."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from voxtrail.model.base import LoadedModel
from voxtrail.session import Config
from voxtrail.study.target import Target
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class SearchOutlines(TrackOutlines):
    """Segment a structure as `TrackOutlines` does, with another search.

    Parameters
    ----------
    search
        As in `voxtrail.Config`.
    """

    kind: ClassVar[str] = "search"
    search: str = "pathways"

    def config(self, target: Target, loaded: LoadedModel, context: TaskContext) -> Config:
        """Return how the structure is segmented."""
        return replace(super().config(target, loaded, context), search=self.search)
