"""Where a run takes place: what the record of a sitting says of it."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
import transformers


@dataclass(frozen=True)
class Machine:
    """Commit, hardware and versions, in words."""

    commit: str
    hardware: str
    versions: str

    @staticmethod
    def here(device: torch.device, processes: int) -> Machine:
        """Return what this process runs on."""
        on_gpu = device.type == "cuda"
        name = torch.cuda.get_device_name(device) if on_gpu else _processor()
        workers = f"{processes} process(es) of {torch.get_num_threads()} thread(s)"
        versions = (
            f"Python {platform.python_version()}, PyTorch {torch.__version__}, "
            f"transformers {transformers.__version__}, NumPy {numpy.__version__}"
        )
        return Machine(_commit(), f"{name}, {workers}", versions)

    def words(self) -> tuple[str, str, str]:
        """Return the three."""
        return self.commit, self.hardware, self.versions


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.machine()


def _commit() -> str:
    """Return the repository's commit, with a plus sign where files differ from it."""
    here = Path(__file__).parent

    def asked(*words: str) -> str:
        found = subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=False
        )
        return found.stdout.strip() if found.returncode == 0 else ""

    commit = asked("rev-parse", "--short=12", "HEAD")
    changed = asked("status", "--porcelain", "--untracked-files=no")
    return (commit or "unknown") + ("+" if changed else "")


def die_with_parent(parent: int) -> None:
    """Make Linux kill this process when the one that started it, ``parent``, is killed.

    Otherwise the processes of a run would go on and write its state beside a run that resumed.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    parent_death_signal = 1  # prctl.h
    libc.prctl(parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:  # killed before this was asked for
        raise SystemExit(1)


def keep_freed_memory() -> None:
    """Make glibc keep freed blocks: returning them costs half of a step's time in page faults."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # malloc.h
    libc.mallopt(mmap_threshold, 2**30)
    libc.mallopt(trim_threshold, 2**31 - 1)
    libc.mallopt(top_pad, 2**28)
