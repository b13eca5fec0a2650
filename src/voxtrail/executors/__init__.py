"""Where work is done item by item: in this process, or on many machines.

The study's structures and the cases of a batch are such items. A new executor is a new file here.
"""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.executors.base import Executor, Work

#: Every executor of this package.
EXECUTORS = Family(
    "voxtrail.executors",
    Executor,  # type: ignore[type-abstract]
    "executor",
)

__all__ = ["EXECUTORS", "Executor", "Work"]
