"""What every executor has in common, and what it is given to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Work(ABC, Generic[Item, Result]):
    """What is done with each item. It is sent to every worker once, and so are items."""

    @property
    @abstractmethod
    def device(self) -> str:
        """Where a worker's model runs, as in `voxtrail.Config`."""

    @abstractmethod
    def begin(self) -> Callable[[Item], Iterator[Result]]:
        """Load what all items need; return what yields the results of one item."""

    @abstractmethod
    def given_up(self, item: Item, reason: str) -> list[Result]:
        """Return what stands for the results of an item that could not be worked on."""


@dataclass(frozen=True)
class Executor(ABC):
    """A way to have items worked on."""

    name: ClassVar[str]
    #: Whether it is done in this process.
    here: ClassVar[bool]

    @abstractmethod
    def run(self, items: Sequence[Item], work: Work[Item, Result]) -> Iterator[tuple[Item, Result]]:
        """Work on items, yielding every result once with its item, in any order."""
