"""What propagations of a session have found, on disk: a file a label, beside the session's.

They can be made again, so a file that is missing or damaged counts as not there, and a disk that
takes no more stops nothing: the label has to be propagated again.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Side, triple
from voxtrail.errors import OutputError
from voxtrail.io.atomic import replacing
from voxtrail.session.compose import LabelLogits
from voxtrail.session.config import Config
from voxtrail.session.expected_dice import ExpectedDice
from voxtrail.session.leave_one_out import LeftOut
from voxtrail.session.quality import LabelQuality
from voxtrail.session.record import LabelRecord, PassRecord, RunRecord
from voxtrail.session.run import LabelResult

FORMAT = "voxtrail-result/1"


class KeptResults:
    """The folder of one session's results.

    Parameters
    ----------
    folder
        Where it is; made when the first result is kept.
    scan
        What tells the scan, as in the session file: results of another one count as not there.
    """

    def __init__(self, folder: Path, scan: Mapping[str, Any]) -> None:
        self._folder = folder
        self._scan = dict(scan)
        #: What a person should know, one line each.
        self.notes: list[str] = []

    def write(self, results: Mapping[int, LabelResult], record: RunRecord) -> None:
        """Keep what one propagation has found."""
        self.notes.clear()
        try:
            self._folder.mkdir(exist_ok=True)
            for label, one in results.items():
                about = {
                    "format": FORMAT,
                    "scan": self._scan,
                    "run": {**asdict(record), "config": record.config.to_json(), "labels": []},
                    **_about(one),
                }
                with replacing(self._place(label), force=True) as partial, partial.open("wb") as to:
                    np.savez(
                        to,
                        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
                        logits=one.fused.logits,
                        unsure=one.quality.unsure,
                    )
        except (OSError, OutputError) as error:
            self.notes.append(f"what was found could not be kept beside the session: {error}")

    def read(self) -> tuple[dict[int, LabelResult], RunRecord | None]:
        """Return what is kept, by label, and the record of the run that is kept last."""
        found: dict[int, LabelResult] = {}
        record, newest = None, -1
        for place in sorted(self._folder.glob("label-*.npz")):
            try:
                with place.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    about = json.loads(bytes(arrays["about"]))
                    if about["format"] != FORMAT or about["scan"] != self._scan:
                        continue
                    one = _result(about, arrays["logits"], arrays["unsure"])
                    run = about["run"]
                    of_run = RunRecord(**{**run, "config": Config(**run["config"])})
                    made = place.stat().st_mtime_ns
            except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
                continue
            found[one.record.label] = one
            if made > newest:
                record, newest = of_run, made
        return found, record

    def drop(self, label: int | None) -> None:
        """Forget what was found of one label, or of all."""
        for place in self._folder.glob("label-*.npz" if label is None else f"label-{label}.npz"):
            place.unlink(missing_ok=True)

    def _place(self, label: int) -> Path:
        return self._folder / f"label-{label}.npz"


def _about(one: LabelResult) -> dict[str, Any]:
    """Return all of a result but its arrays, as JSON values."""
    quality = one.quality

    def by_axis(values: Mapping[Axis, Mapping[int, float]]) -> dict[str, dict[str, float]]:
        return {
            axis.label: {str(index): float(value) for index, value in numbers.items()}
            for axis, numbers in values.items()
        }

    return {
        "box": one.fused.box.to_json(),
        "touching": sorted(side.name for side in one.touching),
        "record": asdict(one.record),
        "confidence": by_axis(quality.confidence),
        "predicted_iou": by_axis(quality.predicted_iou),
        "between": quality.between,
        "outlines": sorted(one.outlines),
    }


def _result(about: Mapping[str, Any], logits: Any, unsure: Any) -> LabelResult:
    """Return the result that `_about` and its arrays tell; raises if they do not fit together."""
    box = _box(about["box"])
    if logits.shape != box.shape or unsure.shape != box.shape or logits.dtype != np.float32:
        raise ValueError("arrays that do not fill their box")

    def by_axis(values: Mapping[str, Mapping[str, float]]) -> dict[Axis, dict[int, float]]:
        return {
            Axis.named(axis): {int(index): float(value) for index, value in numbers.items()}
            for axis, numbers in values.items()
        }

    values = about["record"]
    expected = values["expected_dice"]
    record = LabelRecord(
        **{
            **values,
            "crop": _box(values["crop"]),
            "passes": [PassRecord(**one) for one in values["passes"]],
            "expected_dice": None if expected is None else ExpectedDice(**expected),
            "left_out": tuple(LeftOut(**one) for one in values["left_out"]),
        }
    )
    quality = LabelQuality(
        box,
        unsure,
        by_axis(about["confidence"]),
        by_axis(about["predicted_iou"]),
        float(about["between"]),
    )
    touching = {Side[name] for name in about["touching"]}
    outlines = frozenset(about["outlines"])
    return LabelResult(LabelLogits(box, logits), touching, record, quality, outlines)


def _box(values: Mapping[str, Any]) -> Box:
    return Box(triple(values["start"]), triple(values["stop"]))
