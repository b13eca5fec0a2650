"""Damaged inputs by the thousand: ``python -m tests.fuzz --inputs 10000 --seed 0`` (`make fuzz`).

Each input is made from the seed and its number alone: ``--only 4711`` tries that one again and
``--keep DIR`` saves it. A process of its own tries them; one that takes more than 10 s of a
processor, or dies, is replaced. Exit 1 where anything was found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.process import trials
from tests.fuzz.seeds import make
from tests.fuzz.trial import prepare


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", type=int, help="try one input")
    parser.add_argument("--keep", type=Path, help="save the input of --only in this new folder")
    options = parser.parse_args()
    indices = range(options.first, options.first + options.inputs)
    if options.only is not None:
        indices = range(options.only, options.only + 1)
    started, codes, found, worst_s, worst_mib = time.perf_counter(), Counter(), 0, 0.0, 0.0
    with tempfile.TemporaryDirectory() as base:
        seeds = make(Path(base))
        if options.keep:
            options.keep.mkdir()
            prepare(seeds, indices[0], options.seed, options.keep)
        for index, verdict in trials(Path(base), seeds, options.seed, indices):
            codes[verdict.seed, verdict.code] += 1
            worst_s = max(worst_s, verdict.seconds)
            worst_mib = max(worst_mib, verdict.peak_mib)
            if verdict.complaint:
                found += 1
                sys.stdout.write(f"FOUND {index} ({verdict.seed}): {verdict.complaint}\n")
            elif options.only is not None:
                sys.stdout.write(f"{verdict}\n")
            if (index + 1) % 500 == 0:
                spent = time.perf_counter() - started
                sys.stdout.write(f"{index + 1 - indices[0]} inputs, {spent:.0f} s, {found} found\n")
            sys.stdout.flush()
    for (seed, code), count in sorted(codes.items()):
        sys.stdout.write(f"{seed:<24} exit {code:>2}: {count}\n")
    sys.stdout.write(
        f"{len(indices)} inputs of seed {options.seed} in {time.perf_counter() - started:.0f} s: "
        f"{found} found, at most {worst_s:.1f} s and {worst_mib:.0f} MiB\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
