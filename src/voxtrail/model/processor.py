"""What this machine's processor multiplies well."""

from __future__ import annotations

import functools
import platform
import time
from pathlib import Path

#: Of instruction sets that multiply bfloat16, as Linux names them: x86 and Arm.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
CPU_INFO = Path("/proc/cpuinfo")
#: Side of the matrices that are multiplied where the system does not tell: emulated, half a second.
TRIED_SIDE = 256


@functools.cache
def multiplies_bfloat16() -> bool:
    """Tell whether the processor has units for products of bfloat16.

    Where it has none, PyTorch emulates them: on a processor with AVX2 only, 250 times slower than
    products of float32. Linux says what there is; elsewhere a small product is timed.
    """
    flags = _flags()
    return bool(flags & BFLOAT16_FLAGS) if flags else _seconds("bfloat16") <= _seconds("float32")


def multiplies_int8() -> bool:
    """Tell whether there are products of 8-bit integers here (`voxtrail.model.int8`): on x86."""
    import torch

    machine = platform.machine().lower()
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return machine in ("x86_64", "amd64") and has_onednn


def _flags() -> set[str]:
    """Return the processor's instruction sets; none where the system does not tell."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    named = (line.partition(":") for line in lines)
    said = {key.strip(): value for key, _, value in named}
    return set((said.get("flags") or said.get("Features") or "").split())


def _seconds(kind: str) -> float:
    import torch

    matrix = torch.ones(TRIED_SIDE, TRIED_SIDE, dtype=getattr(torch, kind))
    fastest = float("inf")
    for _ in range(4):  # the first one prepares
        start = time.perf_counter()
        matrix @ matrix
        fastest = min(fastest, time.perf_counter() - start)
    return fastest
