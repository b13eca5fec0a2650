"""Which slices each pass visits, in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

#: One pass over each slice, or a forward and a backward one whose logits are averaged.
Direction = Literal["forward", "both"]


@dataclass(frozen=True)
class Pass:
    """One way through a stack.

    Parameters
    ----------
    direction
        +1 towards higher slice numbers, -1 towards lower ones.
    slices
        Slice numbers in the order of travel; the first is a prompted one.
    """

    direction: int
    slices: tuple[int, ...]


def passes(prompted: Collection[int], num_slices: int, direction: Direction) -> tuple[Pass, ...]:
    """Return the passes over a stack.

    Parameters
    ----------
    prompted
        Numbers of the prompted slices; not empty.
    num_slices
        Slices in the stack, numbered from 0.
    direction
        ``forward``: each slice once; from the first prompted slice upwards and, for what lies
        below it, downwards from there (so a prompt in the middle reaches both ends).
        ``both``: from the first prompted slice upwards and from the last one downwards.

    Examples
    --------
    >>> passes([2], 4, "forward")
    (Pass(direction=1, slices=(2, 3)), Pass(direction=-1, slices=(2, 1, 0)))
    >>> passes([0, 3], 4, "both")
    (Pass(direction=1, slices=(0, 1, 2, 3)), Pass(direction=-1, slices=(3, 2, 1, 0)))
    """
    first, last = min(prompted), max(prompted)
    upwards = Pass(1, tuple(range(first, num_slices)))
    downwards = Pass(-1, tuple(range(last if direction == "both" else first, -1, -1)))
    return tuple(item for item in (upwards, downwards) if len(item.slices) > 1)
