"""One damaged input given to the command line, and what has to hold of the answer.

No traceback; exit 0, or exit 2 with one line; no file left that the answer does not account for;
no more than 2 GiB of memory. (That it ends in time is watched from outside.)
"""

from __future__ import annotations

import os
import re
import resource
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import Seed
from tests.fuzz.shapes import drawn

LIMIT_MIB = 2048
#: What, received, accepted, remedy; what typer says of a command line has one part.
_REFUSAL = re.compile(r"error: [^\n]+\n")


@dataclass(frozen=True)
class Verdict:
    """What became of one input.

    Parameters
    ----------
    seed
        Its kind.
    code
        The exit code; -1 for an exception that got through.
    seconds, peak_mib
        What it took; the memory is the whole process's.
    complaint
        What should not have been; empty where all was well.
    """

    seed: str
    code: int
    seconds: float
    peak_mib: float
    complaint: str = ""


def limit_memory() -> None:
    """Let this process take 2 GiB more of address space than it has now, and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    room = pages * resource.getpagesize() + LIMIT_MIB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (room, room))


def prepare(seeds: list[Seed], index: int, number: int, folder: Path) -> tuple[Seed, Path]:
    """Write the input that seed and index stand for, always the same; return kind and input."""
    random = Random(f"{number}:{index}")
    chosen = seeds[index % len(seeds)]
    other = random.choice(random.choice(seeds).files).read_bytes()
    copies = chosen.copy(folder)
    if chosen.form is not None:
        copies[0].write_bytes(drawn(chosen.form, copies[0].read_bytes(), random))
    else:
        damaged = random.choice(copies)
        damaged.write_bytes(mutated(damaged.read_bytes(), random, other))
    return chosen, folder if chosen.place == "folder" else copies[0]


def judge(seed: Seed, given: Path, base: Path, work: Path) -> Verdict:
    """Run the command on one input; everything it writes goes to a folder that is looked at."""
    out = work / "out"
    out.mkdir()
    places = {"input": given, "out": out, "base": base}
    arguments = [part.format(**places) for part in seed.command]
    folder = given if given.is_dir() else given.parent
    inputs = _listing(folder)
    _reset_peak()
    start = time.perf_counter()
    code, said = _run(arguments, work / "said")
    seconds = time.perf_counter() - start
    peak_mib = _peak_mib()
    complaint = _complaint(code, said, out, may_fail=seed.may_fail)
    if peak_mib > LIMIT_MIB:
        complaint = complaint or f"{peak_mib:.0f} MiB of memory"
    if _listing(folder) != inputs:
        complaint = complaint or "the inputs' folder was written to"
    return Verdict(seed.name, code, seconds, peak_mib, complaint)


def _complaint(code: int, said: str, out: Path, *, may_fail: bool) -> str:
    left = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    if any("partial" in name or "unfinished" in name for name in left):
        return f"half a file left: {left}"
    if code == 0 or (may_fail and code == 1):
        return "" if "Traceback" not in said else said
    if code != 2 or not _REFUSAL.fullmatch(said):
        return f"exit {code}: {said[-3000:]}"
    return f"exit 2, and yet there are {left}" if left else ""


def _run(arguments: list[str], log: Path) -> tuple[int, str]:
    """Run the command in this process; return its exit code and all that reached stderr."""
    from voxtrail.cli import main

    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("w+b") as said, open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(said.fileno(), 2)
        try:
            code = main._run(arguments)
        except BaseException:
            code = -1
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, old in enumerate(kept, 1):
                os.dup2(old, number)
                os.close(old)
    return code, log.read_text(errors="replace")


def _listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _reset_peak() -> None:
    with suppress(OSError):  # then the peak is that of all inputs so far, which is the stricter
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
