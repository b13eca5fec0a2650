"""Puts the numbers of the run into prose and experiments: ``python docs/study/fill.py``.

Each number or verdict in README.md that comes from a record is followed by a comment that says
which:

    0.732<!--= ct/final; IS + SPS; dice; mean -->          set/table; variant; measure; column
    0.036<!--= ct/findings; SPS: tau 0.3 ...; dice_difference -->     the claim; column
    0.880<!--= drawn-ct/shape-bones; rib; 5: shape; mean -->          bone type; variant; column
    holds<!--= ct/findings; SPS: tau 0.3 ...; verdict -->             what the run says of a claim

This script writes what the tables hold before each, and what the run's records say of an
experiment into the ``recorded=`` of its file. Tests check that they agree.
"""

from __future__ import annotations

import csv
import importlib
import json
import re
from pathlib import Path
from typing import get_args

import pandas as pd

from voxtrail.study.experiment import Experiment, Recorded
from voxtrail.study.report.findings import Verdict

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
EXPERIMENTS = HERE.parents[1] / "src/voxtrail/study/experiments"
#: What finds a row of some tables, by the last word of their name.
KEYS = {"findings": ("claim",), "bones": ("bone_type", "variant")}
#: The runs of each kind of scan, the newest first.
RUNS = "memories-", "drawn-", ""
#: The longest first, so that none is taken for the end of another.
VERDICTS = sorted(get_args(Verdict), key=len, reverse=True)
_SHOWN = re.compile(
    rf"(?P<shown>[+-]?\d+\.?\d*|{'|'.join(VERDICTS)})<!--= (?P<reference>[^>]*?) -->"
)


def filled(text: str) -> str:
    """Return a page with everything referenced as the tables hold it; `KeyError` if one is not.

    Numbers that are written with a sign keep one; others are shown without.
    """

    def replaced(match: re.Match[str]) -> str:
        shown = _look_up(match["reference"])
        if shown not in VERDICTS:
            value = float(shown)
            shown = f"{value:+.3f}" if match[0][0] in "+-" else f"{abs(value):.3f}"
        return f"{shown}<!--= {match['reference']} -->"

    return _SHOWN.sub(replaced, text)


def _look_up(reference: str) -> str:
    table, *names, column = (part.strip() for part in reference.split(";"))
    folder, _, name = table.partition("/")
    keys = KEYS.get(name.rpartition("-")[2], ("variant", "measure"))
    with (HERE / folder / f"tables/{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if [row[key] for key in keys] == names:
                return row[column]
    raise KeyError(reference)


def recorded(experiment: Experiment) -> Recorded:
    """Return what the run's records say of an experiment; see `Recorded`."""
    phantoms, cts = (_rows(kind, experiment.name) for kind in ("phantom", "ct"))
    return Recorded(
        minutes=round(_alone_s(phantoms) / 60, 1),
        dice_phantoms=_mean_dice(phantoms, experiment),
        dice_cts=_mean_dice(cts, experiment),
    )


def _rows(kind: str, experiment: str) -> pd.DataFrame:
    """Return an experiment's finished rows on phantoms or CTs, of the newest run that has some."""
    for run in RUNS:
        records = HERE / f"{run}{kind}" / "records.parquet"
        frame = pd.read_parquet(records)
        rows = frame[(frame.experiment == experiment) & (frame.status == "done")]
        if len(rows):
            return rows
    raise KeyError(experiment)


def _mean_dice(rows: pd.DataFrame, experiment: Experiment) -> float:
    return round(float(rows.dice[rows.variant == experiment.baseline].mean()), 3)


def _alone_s(rows: pd.DataFrame) -> float:
    """Return seconds of tasks where nothing else is run: each encoding of a structure once.

    Tasks that share model, input size, preprocessing and crop share their encodings; one along
    three axes has those of an axial one among its own, so that the longest of them is that of all.
    """
    tasks = rows.drop_duplicates(["case", "structure", "task"])
    encoding_s = tasks.image_encoder_s.fillna(0.0)
    total_s = tasks.total_s.fillna(tasks.spent_s)
    keys = [tasks.case, tasks.structure, tasks.model, tasks.input_size, tasks.task.map(_seen)]
    shared_s = encoding_s.groupby(keys, dropna=False).max().sum()
    return float((total_s - encoding_s).sum() + shared_s)


def _seen(text: str) -> str:
    """Return what of a task decides the pixels that are encoded."""
    task = json.loads(text)
    names = ["window", *(("crop", "margin_mm", "slices", "noise") if task.get("crop") else ())]
    return json.dumps([task.get(name) for name in names])


def _fill_experiments() -> None:
    for module in sorted(EXPERIMENTS.glob("[!_]*.py")):
        loaded = importlib.import_module(f"voxtrail.study.experiments.{module.stem}")
        if loaded.EXPERIMENT.recorded is not None:
            text = module.read_text(encoding="utf-8")
            made = re.sub(r"(?<=recorded=)Recorded\(.*?\)", repr(recorded(loaded.EXPERIMENT)), text)
            module.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    _fill_experiments()
