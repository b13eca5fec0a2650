"""Seconds to import voxtrail, to print its help, and to segment a real or synthetic CT.

    python benchmarks/startup.py

Each figure is the median of several whole processes. With VOXTRAIL_CT set, the job is three
labels of the real pelvis totalseg_mini/s0000, otherwise the demo's synthetic scan.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
VOXTRAIL = str(Path(sys.executable).with_name("voxtrail"))


def seconds(command: list[str], runs: int = RUNS) -> float:
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])  # the first fills the file cache


def segment(folder: Path) -> tuple[str, list[str]]:
    data = os.environ.get("VOXTRAIL_CT")
    if not data:
        return "demo", [VOXTRAIL, "demo", "-o", str(folder), "--force", "--quiet"]
    subject = Path(data) / "totalseg_mini" / "s0000"
    masks = [subject / "segmentations" / f"{n}.nii.gz" for n in ("hip_left", "hip_right", "sacrum")]
    prompts = folder / "prompts.nii.gz"
    subprocess.run(
        [VOXTRAIL, "simulate", *map(str, masks), "-o", str(prompts)],
        check=True,
        capture_output=True,
    )
    command = [VOXTRAIL, "segment", str(subject / "ct.nii.gz"), str(prompts), "--model", "micro"]
    return "segment s0000, 3 labels", [*command, "-o", str(folder / "seg.nii.gz"), "--force"]


def main() -> None:
    bare = seconds([sys.executable, "-c", "pass"])
    imported = seconds([sys.executable, "-c", "import voxtrail"])
    shown = seconds([VOXTRAIL, "--help"])
    with tempfile.TemporaryDirectory() as folder:
        what, command = segment(Path(folder))
        job = seconds(command, runs=1)
    write = sys.stdout.write
    write(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, ")
    write(f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}\n")
    write(f"import voxtrail      {imported - bare:6.2f} s over an empty Python's {bare:.2f} s\n")
    write(f"voxtrail --help      {shown:6.2f} s\n")
    write(f"{what:<21}{job:6.2f} s (checkpoint micro)\n")


if __name__ == "__main__":
    main()
