"""Executors by name, and what the plain one does; Ray's is tested by who uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from voxtrail.errors import OptionError
from voxtrail.executors import EXECUTORS, Work
from voxtrail.executors.on_ray import OnRay
from voxtrail.executors.serial import Serial


class Halves(Work[int, float]):
    """Yields an item's halves, as often as it goes."""

    device = "cpu"
    begun = 0

    def begin(self) -> Callable[[int], Iterator[float]]:
        self.begun += 1

        def halves(item: int) -> Iterator[float]:
            while item > 1:
                item //= 2
                yield item

        return halves

    def given_up(self, item: int, reason: str) -> list[float]:
        return []


def test_items_are_worked_on_one_after_the_other_by_what_was_begun_once() -> None:
    work = Halves()
    assert list(Serial().run([4, 1, 3], work)) == [(4, 2), (4, 1), (3, 1)]
    assert work.begun == 1


def test_executors_are_found_by_name() -> None:
    assert sorted(EXECUTORS.members()) == ["ray", "serial"]
    assert EXECUTORS.parse("ray:workers=3,address=ray://head:10001") == OnRay(
        address="ray://head:10001", workers=3
    )
    with pytest.raises(OptionError, match="a number of workers or CPUs that is out of range"):
        OnRay(workers=-1)
