"""Memory that is free, given back to the system.

glibc keeps what is free between arrays that stay: after a quarter of an hour eight sessions took
over 1 GB more than they held, and 3 GB of it when all had gone. And what is free may look taken:
work that failed refers to itself (an exception, its traceback, and the frames in which it was
caught), which only Python's collector finds.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from typing import Any


def free(left_behind: list[Any]) -> None:
    """Free things that nobody else refers to, and what refers to itself; give all of it back."""
    left_behind.clear()
    gc.collect()
    give_back()


def give_back() -> None:
    """Give back what is free; it takes some milliseconds.

    Only glibc has such a function. With other C libraries nothing is done.
    """
    with suppress(OSError, AttributeError, TypeError):  # no C library by that name; no function
        ctypes.CDLL(None).malloc_trim(0)
