"""Memory of sessions that have ended, given back to the system.

Most of what a session held is free as soon as nobody refers to it. Two things are not: work that
failed refers to itself (an exception, its traceback, and the frames in which it was caught), which
only Python's collector finds; and glibc keeps what many small arrays took, 3.5 GB of it after eight
clients had gone (`docs/clients.md`).
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def give_back() -> None:
    """Free what is out of reach and give what is free to the system; it takes a moment.

    The second half is glibc's; other C libraries have no such function, and nothing is done.
    """
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # no C library by that name; no function
        ctypes.CDLL(None).malloc_trim(0)
