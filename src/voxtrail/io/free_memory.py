"""How much memory this process may still take: what cannot fit is refused before it is read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

#: A limit of a control group as large as this stands for none.
_UNLIMITED = 2**60


def available_bytes() -> int | None:
    """Return the memory that this process may still take; None where the system does not say.

    The least of what the machine has free, what a container leaves and what the process's own
    limit (``ulimit -v``) leaves.
    """
    found = [room for room in (_of_machine(), _of_container(), _of_process()) if room is not None]
    return max(min(found), 0) if found else None


def _of_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _of_container() -> int | None:
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        limit = int((group / "memory.max").read_text(encoding="ascii"))  # "max" is no number
        used = int((group / "memory.current").read_text(encoding="ascii"))
        # Of what counts as used, cached files give way.
        stat = (group / "memory.stat").read_text(encoding="ascii").split()
        cached = int(stat[stat.index("file") + 1]) if "file" in stat else 0
        return limit - used + cached if limit < _UNLIMITED else None
    return None


def _of_process() -> int | None:
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return None
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return limit - pages * resource.getpagesize()
    return None
