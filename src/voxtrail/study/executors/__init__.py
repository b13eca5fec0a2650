"""Where task groups are run: in this process, or on many machines."""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.study.executors.base import Executor

#: Every executor of this package.
EXECUTORS = Family(
    "voxtrail.study.executors",
    Executor,  # type: ignore[type-abstract]
    "executor",
)

__all__ = ["EXECUTORS", "Executor"]
