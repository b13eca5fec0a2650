"""Peak memory of a piece of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

MIB = 2**20
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextmanager
def peak_memory(device: str) -> Iterator[Callable[[], float | None]]:
    """Give a function that returns the peak, in MiB, since the block began.

    On CUDA that of PyTorch's allocations on the device; else the resident set of the process,
    which Linux alone can start anew. None where it cannot be measured.
    """
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats()
        yield lambda: torch.cuda.max_memory_allocated() / MIB
        return
    try:
        _CLEAR.write_text("5")  # sets the peak to what is in use now (man 5 proc)
    except OSError:
        yield lambda: None
        return
    yield _resident_peak


def _resident_peak() -> float | None:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024  # kB
    return None
