"""What a study's folder says of itself: ``study.json``, with what was run and on what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voxtrail.errors import InputError
from voxtrail.io import replacing
from voxtrail.session.record import NOTICE

FORMAT = "voxtrail-study/1"
STUDY = "study.json"

_NUMBER = (int, float)
#: What must be the same in every run of a study.
_STUDY_KEYS: dict[str, type | tuple[type, ...]] = {
    "manifest": str,
    "structures": int,
    "model": str,
    "weights_sha256": str,
    "input_size": int,
    "margin_mm": _NUMBER,
}
#: What is told of each run.
_RUN_KEYS: dict[str, type | tuple[type, ...]] = {
    "started": str,
    "device": str,
    "machine": dict,
    "versions": dict,
}


def read_study(folder: Path) -> dict[str, Any]:
    """Return what a folder says of its study: ``study``, what it is, and ``runs``, at least one.

    Raises
    ------
    InputError
        If it holds none, or its account is damaged.
    """
    place = folder / STUDY
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError(f"no format {FORMAT}")
        _check(found.get("study"), _STUDY_KEYS, "study")
        runs = found.get("runs")
        if not isinstance(runs, list) or not runs:
            raise ValueError("no list of runs")
        for run in runs:
            _check(run, _RUN_KEYS, "a run")
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            "the folder holds no study",
            received=f"{place}: {reason}",
            accepted=f"a folder with {STUDY}, as 'voxtrail study run' makes it",
            remedy="pass the folder that was given as -o",
        ) from error
    return found


def write_study(folder: Path, study: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    """Write what a folder says of its study, whole or not at all."""
    account = {"format": FORMAT, "notice": NOTICE, "study": study, "runs": runs}
    with replacing(folder / STUDY, force=True) as temporary:
        temporary.write_text(json.dumps(account, indent=2) + "\n", encoding="utf-8")


def _check(found: Any, keys: dict[str, type | tuple[type, ...]], what: str) -> None:
    """Refuse, as ValueError, what does not have these keys with values of these types."""
    if not isinstance(found, dict):
        raise ValueError(f"{what} is no object")
    for key, kind in keys.items():
        if not isinstance(found.get(key), kind) or isinstance(found[key], bool):
            raise ValueError(f"{what} without its {key}")
