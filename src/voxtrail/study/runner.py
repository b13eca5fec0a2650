"""A study from request to records: checks, plan, executor, and every result written at once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voxtrail.datasets.manifest import Manifest
from voxtrail.errors import InputError
from voxtrail.executors import Executor
from voxtrail.model.base import LoadedModel
from voxtrail.model.loading import load
from voxtrail.session.record import versions
from voxtrail.study.experiment import Experiment
from voxtrail.study.folder import check_folder, make_folder
from voxtrail.study.machine import machine
from voxtrail.study.methods import BASELINE, IS_SPS
from voxtrail.study.pictures import Pictures
from voxtrail.study.plan import Plan, TaskGroup, plan
from voxtrail.study.record import Identity, Records, row_of
from voxtrail.study.settings import Settings
from voxtrail.study.study_file import STUDY, read_study, write_study
from voxtrail.study.study_work import StudyWork
from voxtrail.study.task_context import TaskContext
from voxtrail.study.task_runner import TaskResult
from voxtrail.study.tasks.base import Task

#: The tasks whose results are kept as pictures, with what the pictures are called.
PICTURED: dict[Task, str] = {BASELINE: "baseline", IS_SPS: "IS + SPS"}

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class StudyRequest:
    """What is asked for.

    Parameters
    ----------
    experiments
        Which.
    manifest
        The structures; all of a study's runs take one manifest.
    per_type
        Only the first so many of each bone type; None takes all.
    settings
        What holds for every structure.
    folder
        Where records go; made if need be.
    retry_failed
        Only what failed before.
    """

    experiments: Sequence[Experiment]
    manifest: Manifest
    settings: Settings
    folder: Path
    per_type: int | None = None
    retry_failed: bool = False

    @property
    def chosen(self) -> Manifest:
        """The structures of this run."""
        return (
            self.manifest
            if self.per_type is None
            else self.manifest.first_of_each_type(self.per_type)
        )


@dataclass(frozen=True)
class Summary:
    """What a run did: numbers of rows by status, rows copied, and rows found finished."""

    rows: Counter[str]
    copied: int
    finished: int


def prepare(request: StudyRequest) -> tuple[Plan, LoadedModel]:
    """Check a request and return what is left to do; nothing is written.

    Raises
    ------
    InputError
        If data and manifest differ, or the folder holds another study.
    OutputError
        If the study's folder or the cache can neither be used nor be made.
    WeightsError, OptionError
        If the study's model cannot be loaded.
    """
    request.manifest.verify(request.settings.root)
    check_folder(request.folder)
    if request.settings.cache is not None:
        check_folder(request.settings.cache)
    loaded = load(
        request.settings.model,
        resolution=request.settings.resolution,
        device=request.settings.device,
    )
    _check_same(request, _identity(request, loaded))
    found = plan(
        request.experiments,
        request.chosen,
        Records(request.folder),
        request.settings.model,
        loaded.model.input_size,
        retry_failed=request.retry_failed,
    )
    return found, loaded


def run(request: StudyRequest, executor: Executor, progress: Progress | None = None) -> Summary:
    """Run what is left of a study.

    Returns
    -------
    Summary
        Failed rows are counted, not raised.

    Raises
    ------
    InputError
        As `prepare`; also if the folder cannot be written to. What was finished stays recorded.
    """
    left, loaded = prepare(request)
    make_folder(request.folder)
    if request.settings.cache is not None:
        make_folder(request.settings.cache)
    records, pictures = Records(request.folder), Pictures(request.folder)
    _note_run(request, loaded, executor)
    for place, copies in left.copies.items():
        records.add(*place, copies)
    counts: Counter[str] = Counter()
    results = executor.run(left.groups, StudyWork(request.settings))
    for done, (group, finished) in enumerate(results, start=1):
        _write(records, pictures, group, finished)
        counts[finished.status] += len(group.rows[finished.task])
        if progress is not None:
            progress(done, left.num_tasks, "running")
    return Summary(counts, sum(map(len, left.copies.values())), left.finished)


def _write(records: Records, pictures: Pictures, group: TaskGroup, finished: TaskResult) -> None:
    rows = [
        row_of(
            Identity(
                experiment=experiment,
                variant=variant,
                case=group.case,
                structure=group.structure,
                bone_type=group.item.bone_type if group.item else None,
                status=finished.status,
                error=finished.error,
                task=finished.task.key,
                finished=finished.finished,
            ),
            finished.measured,
        )
        for experiment, variant in group.rows[finished.task]
    ]
    if finished.measured.picture is not None and finished.task in PICTURED:
        # Before the rows: a task whose rows are there is not done again, nor is its picture.
        name = PICTURED[finished.task]
        pictures.add(group.case, group.structure, name, finished.measured.picture)
    records.add(group.case, group.structure, rows)


def _identity(request: StudyRequest, loaded: LoadedModel) -> dict[str, Any]:
    """Return what must be the same in every run of a study."""
    return {
        "manifest": request.manifest.checksum,
        "structures": len(request.manifest.structures),
        "model": TaskContext.name_of(loaded),
        "weights_sha256": loaded.sha256,
        "input_size": loaded.model.input_size,
        "margin_mm": request.settings.margin_mm,
    }


def _check_same(request: StudyRequest, identity: dict[str, Any]) -> None:
    if not os.path.exists(request.folder / STUDY):
        return
    before = read_study(request.folder)["study"]
    differing = [key for key, value in identity.items() if before.get(key) != value]
    if differing:
        raise InputError(
            "the folder holds another study",
            received=", ".join(f"{key} {identity[key]}" for key in differing),
            accepted=", ".join(f"{key} {before.get(key)}" for key in differing),
            remedy="run with what the study began with, or choose another folder with -o",
        )


def _note_run(request: StudyRequest, loaded: LoadedModel, executor: Executor) -> None:
    """Add this run to the folder's account of itself."""
    there = os.path.exists(request.folder / STUDY)
    runs = read_study(request.folder)["runs"] if there else []
    runs.append(
        {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "experiments": [item.name for item in request.experiments],
            "structures": len(request.chosen.structures),
            "executor": type(executor).name,
            "retry_failed": request.retry_failed,
            "device": loaded.model.device,
            "machine": machine(),
            "versions": versions(),
        }
    )
    write_study(request.folder, _identity(request, loaded), runs)
