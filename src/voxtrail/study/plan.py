"""What is left to do of a study: a group of tasks a structure, each task once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voxtrail.core.axis import Axis
from voxtrail.datasets.manifest import Manifest
from voxtrail.datasets.totalsegmentator import Structure
from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.record import NO_STRUCTURE, Records, Row
from voxtrail.study.target import crop_of
from voxtrail.study.tasks.base import Task
from voxtrail.study.tasks.track_outlines import TrackOutlines


@dataclass(frozen=True)
class TaskGroup:
    """The tasks that are left of one structure, which one worker runs together.

    Parameters
    ----------
    item
        The structure; None for tasks that need none.
    tasks
        Distinct, those that share encodings together.
    rows
        Which experiments and variants each task is for.
    """

    item: Structure | None
    tasks: tuple[Task, ...]
    rows: dict[Task, tuple[tuple[str, str], ...]]

    @property
    def case(self) -> str:
        """The subject, or `NO_STRUCTURE`."""
        return self.item.case if self.item else NO_STRUCTURE

    @property
    def structure(self) -> str:
        """The structure's class, or `NO_STRUCTURE`."""
        return self.item.structure if self.item else NO_STRUCTURE


@dataclass(frozen=True)
class Plan:
    """The groups that are left, and rows that only have to be written down.

    Parameters
    ----------
    groups
        With at least one task each.
    copies
        By case and structure: rows whose task another experiment has done before.
    finished
        Number of rows that are there.
    """

    groups: tuple[TaskGroup, ...]
    copies: dict[tuple[str, str], list[Row]]
    finished: int

    @property
    def num_tasks(self) -> int:
        """How many tasks are left."""
        return sum(len(group.tasks) for group in self.groups)


def plan(
    wanted: Sequence[Experiment],
    manifest: Manifest,
    records: Records,
    model: str,
    input_size: int,
    *,
    retry_failed: bool,
) -> Plan:
    """Compare what is wanted with what is recorded.

    Parameters
    ----------
    wanted
        The experiments.
    manifest
        The structures.
    records
        What there is.
    model, input_size
        The study's.
    retry_failed
        Take only the rows that failed, instead of those that are not there. Rows that were not
        run because something was not here are taken either way: it may be here now.
    """
    variants = [
        (experiment, variant, variant.task.normalized(model, input_size))
        for experiment in wanted
        for variant in experiment.variants
    ]
    groups: list[TaskGroup] = []
    copies: dict[tuple[str, str], list[Row]] = {}
    finished = 0
    for item in (None, *manifest.structures):
        of_item = [entry for entry in variants if entry[2].without_target == (item is None)]
        place = (item.case, item.structure) if item else (NO_STRUCTURE, NO_STRUCTURE)
        there = records.of(*place)
        status = {(row["experiment"], row["variant"]): row["status"] for row in there}
        done = {row["task"]: row for row in there if row["status"] == "done"}
        todo: dict[Task, list[tuple[str, str]]] = {}
        for experiment, variant, task in of_item:
            name = experiment.name, variant.name
            if not _left(status.get(name), retry_failed):
                finished += 1
            elif task.key in done:
                copies.setdefault(place, []).append(_copied(done[task.key], experiment, variant))
            else:
                todo.setdefault(task, []).append(name)
        if todo:
            # Sorted by text last, so that equal plans are equal whatever the order of names.
            ordered = sorted(todo, key=lambda task: (task.kind, task.encoding_order(), task.key))
            groups.append(
                TaskGroup(item, tuple(ordered), {task: tuple(todo[task]) for task in ordered})
            )
    return Plan(tuple(groups), copies, finished)


def encodings(
    groups: Sequence[TaskGroup], margin_mm: float
) -> dict[tuple[str, str, str, str], int]:
    """Return how many slices have to be encoded, by model, input size, preprocessing and axis.

    Each slice of a structure once, however many tasks use it, and once more for each other crop;
    the study's own model and input size are called ``""``.
    """
    counts: dict[tuple[str, str, str, str], int] = {}
    for group in groups:
        if group.item is None:
            continue
        crop = crop_of(group.item.box, group.item.shape, group.item.spacing_mm, margin_mm)
        distinct = {
            ((task.model or "", str(task.resolution or ""), task.window, axis), task.windows())
            for task in group.tasks
            if isinstance(task, TrackOutlines)
            for axis in task.axes
        }
        for key, _ in distinct:
            counts[key] = counts.get(key, 0) + crop.shape[Axis.named(key[3]).value]
    return dict(sorted(counts.items()))


def tracked(groups: Sequence[TaskGroup], margin_mm: float) -> dict[str, int]:
    """Return about how many slices have to be tracked, by input size (``""``: the study's)."""
    counts: dict[str, int] = {}
    for group in groups:
        if group.item is None:
            continue
        crop = crop_of(group.item.box, group.item.shape, group.item.spacing_mm, margin_mm)
        for task in group.tasks:
            if isinstance(task, TrackOutlines):
                slices = sum(crop.shape[Axis.named(axis).value] for axis in task.axes)
                passes = 2 if task.direction == "both" else 1
                key = str(task.resolution or "")
                counts[key] = counts.get(key, 0) + slices * passes
    return counts


def _left(status: str | None, retry_failed: bool) -> bool:
    if status == "not-run":
        return True
    return status == "failed" if retry_failed else status is None


def _copied(row: Row, experiment: Experiment, variant: Variant) -> Row:
    return {**row, "experiment": experiment.name, "variant": variant.name}
