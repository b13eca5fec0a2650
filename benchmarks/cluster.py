"""What a study costs on many machines, from the records of a pilot on one of them.

    python benchmarks/cluster.py RECORDS [--structures 2500] [--experiment final ...]

RECORDS is a study's folder, as ``study run`` writes it, or the ``records.parquet`` of a report.
Prints a Markdown table, a line an experiment, model and device: what the pilot measured, and the
hours of that device (a GPU, or the cores of one worker) that so many structures would take by
that. Each slice counts as encoded once a structure and preprocessing, as `study run` does it.
Reading and scoring are not in the records' seconds and not in these hours.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from voxtrail.study.record import Records

HEADS = ("experiment", "model", "pixels", "device", "structures", "slices tracked",
         "encoding, s a structure", "tracking, s a structure", "device hours")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", type=Path)
    parser.add_argument("--structures", type=int, default=2500)
    parser.add_argument("--experiment", action="append", help="by default all of the pilot's")
    options = parser.parse_args()
    if options.records.is_dir():
        frame = Records(options.records).frame()
    else:
        frame = pd.read_parquet(options.records)
    wanted = options.experiment or sorted(frame.experiment.unique())
    sys.stdout.write(f"| {' | '.join(HEADS)} |\n{'|---' * len(HEADS)}|\n")
    for line in lines(frame, wanted, options.structures):
        sys.stdout.write(f"| {' | '.join(line)} |\n")


def lines(frame: pd.DataFrame, experiments: list[str], structures: int) -> list[list[str]]:
    """Return a line for each experiment, model, input size and device that was tracked with."""
    tracked = frame[(frame.status == "done") & frame.tracked_slices.notna()]
    found = []
    for name in experiments:
        own = tracked[tracked.experiment == name].drop_duplicates(["case", "structure", "task"])
        for (model, pixels, device), rows in own.groupby(["model", "input_size", "device"]):
            pilot = len(rows.drop_duplicates(["case", "structure"]))
            encoding_s = _encoding_s(rows) / pilot
            tracking_s = (rows.total_s - rows.image_encoder_s).sum() / pilot
            hours = (encoding_s + tracking_s) * structures / 3600
            found.append(
                [name, str(model), f"{pixels:.0f}", str(device), str(pilot),
                 f"{rows.tracked_slices.sum():.0f}", f"{encoding_s:.2f}", f"{tracking_s:.2f}",
                 f"{hours:.1f}"]
            )  # fmt: skip
    return found


def _encoding_s(rows: pd.DataFrame) -> float:
    """Return seconds of encoding, each preprocessing and choice of axes of a structure once.

    The axial slices of a pass along three axes are counted besides those of an axial one, so this
    is an upper bound where an experiment has both.
    """
    tasks = rows.task.map(json.loads)
    shared = rows.assign(
        window=tasks.map(lambda task: task["window"]),
        axes=tasks.map(lambda task: ",".join(task["axes"])),
    )
    once = shared.groupby(["case", "structure", "window", "axes"]).image_encoder_s.max()
    return float(once.sum())


if __name__ == "__main__":
    main()
