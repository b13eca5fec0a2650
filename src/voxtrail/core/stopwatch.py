"""Seconds spent in each component of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up wall-clock seconds by name.

    Parameters
    ----------
    synchronize
        Called before each look at the clock. A GPU works on after the call that gave it the work
        returns; who wants each component's own time waits for it here (`synchronizer`), and who
        wants the whole to be quick does not.

    Examples
    --------
    >>> watch = Stopwatch()
    >>> with watch.measure("image encoder"):
    ...     pass
    >>> list(watch.seconds)
    ['image encoder']
    """

    def __init__(self, synchronize: Callable[[], None] | None = None) -> None:
        self.synchronize = synchronize
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time spent inside to ``name``."""
        start = self.now()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self.now() - start

    def now(self) -> float:
        """Return the time in seconds, from any moment, once all work is done."""
        if self.synchronize:
            self.synchronize()
        return time.perf_counter()


def synchronizer(device: str) -> Callable[[], None] | None:
    """Return what waits for a device (as PyTorch names it) to have done its work, if it must."""
    if not device.startswith("cuda"):
        return None
    import torch

    return torch.cuda.synchronize
