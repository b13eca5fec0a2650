"""Scores of a segmentation: label by label, their mean, and once more off the prompted slices."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.alignment import joint_grid, on_grid
from voxtrail.core.box import Box
from voxtrail.core.prompts import Prompts
from voxtrail.core.prompts_on_grid import put_on
from voxtrail.core.volume import LabelMap
from voxtrail.errors import ImageError
from voxtrail.evaluate.matching import Side, match
from voxtrail.io.structures import listed
from voxtrail.metrics import Scores, score


@dataclass(frozen=True)
class ScoreTable:
    """Scores of several labels.

    Parameters
    ----------
    scores
        By label.
    names
        What each label is called.
    """

    scores: dict[int, Scores]
    names: dict[int, str]

    def mean(self) -> dict[str, float | None]:
        """Return the mean of each measure over the labels that have it; None where none has.

        A label that is empty in both masks is left out: it agrees by rule, not by merit.
        """
        means: dict[str, float | None] = {}
        for measure in fields(Scores):
            values = [
                getattr(scores, measure.name)
                for scores in self.scores.values()
                if not _nothing_there(scores)
            ]
            known = [value for value in values if value is not None]
            means[measure.name] = float(np.mean(known)) if known else None
        return means

    def null_distances(self) -> int:
        """Return how many labels have no distance: one mask of the two is empty."""
        return sum(scores.hausdorff_mm is None for scores in self.scores.values())

    def empty_labels(self) -> int:
        """Return how many labels are empty in both masks: all of them lies on prompted slices."""
        return sum(_nothing_there(scores) for scores in self.scores.values())

    def to_json(self) -> dict[str, Any]:
        """Return ``labels`` by number, and ``mean`` with the counts of what it leaves out."""
        return {
            "labels": {
                str(label): {"name": self.names[label], **scores.to_json()}
                for label, scores in self.scores.items()
            },
            "mean": {
                **self.mean(),
                "null_distances": self.null_distances(),
                "empty_labels": self.empty_labels(),
            },
        }


@dataclass(frozen=True)
class Evaluation:
    """A segmentation against its truth.

    Parameters
    ----------
    everywhere
        Scores over all slices.
    unprompted
        Scores without the slices that were prompted; None if no prompts were given.
    notes
        How labels were matched, and what else a person should know of how files were read.
    """

    everywhere: ScoreTable
    unprompted: ScoreTable | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what ``voxtrail evaluate --json`` prints."""
        table = self.everywhere.to_json()
        if self.unprompted is not None:
            table["unprompted"] = self.unprompted.to_json()
        if self.notes:
            table["notes"] = list(self.notes)
        return table


def evaluate(prediction: LabelMap, truth: LabelMap, prompts: Prompts | None = None) -> Evaluation:
    """Score every label that occurs in the truth or in the prediction.

    Labels are the truth's: those of the prediction and the prompts are matched with them by name
    where both have names, else by number; one label on each side is one label whatever its number
    (`voxtrail.evaluate.matching`). A label that only the prediction has counts as a label whose
    truth is empty, one that only the truth has as an empty prediction; neither is dropped. Labels
    may share voxels.

    Parameters
    ----------
    prediction, truth
        Label maps whose voxels lie on each other; axis order, flips of storage and the part that
        they cover may differ. Scored is all that either covers.
    prompts
        What was drawn, on a grid of the same voxels. For `Evaluation.unprompted` the voxels on each
        label's own prompted slices, on whichever axis, are taken out of both masks before anything
        is measured. Both masks then end at those slices, so that surfaces are also counted there: a
        prompted slice can raise the score of its neighbours a little, never add its own.

    Raises
    ------
    GridError
        If the grids differ; says how far they are off, and where.
    ImageError
        If neither map holds a label, or names of the two contradict their numbers.
    """
    expected, given = Side.of("truth", truth), Side.of("prediction", prediction)
    if not expected.labels and not given.labels:
        raise ImageError(
            "nothing to score: neither the prediction nor the truth holds a label",
            received="two empty label maps",
            accepted="a label in at least one of them",
            remedy="check that the files are the ones that were meant",
        )
    matching = match(given, expected)
    names = {**truth.titles, **truth.names}
    for label, number in matching.numbers.items():
        names.setdefault(number, prediction.name(label))
    prediction = prediction.renumbered(matching.numbers, names)
    notes = [matching.note, *prediction.notes, *truth.notes]
    if prompts is not None:
        drawn = match(Side("prompts", prompts.labels(), prompts.names), expected)
        prompts = prompts.renumbered(drawn.numbers)
        notes += [drawn.note, *prompts.notes]
    grid = joint_grid(prediction.stored, truth.stored)
    found, wanted = (
        on_grid(one, grid, what)
        for one, what in ((prediction, "the prediction"), (truth, "the truth"))
    )
    if prompts is not None:
        prompts = put_on(prompts, grid)
    spacing_mm = wanted.grid.spacing_mm
    everywhere: dict[int, Scores] = {}
    unprompted: dict[int, Scores] = {}
    # Of a large scan, the part around either mask: beyond it there is nothing to compare.
    boxes = wanted.boxes()
    for label, box in found.boxes().items():
        boxes[label] = boxes[label].joined(box) if label in boxes else box
    for label, box in sorted(boxes.items()):
        pair = found.mask(label, box), wanted.mask(label, box)
        everywhere[label] = score(*pair, spacing_mm)
        if prompts is not None:
            for mask in pair:
                _clear_prompted(mask, box, prompts, label)
            unprompted[label] = score(*pair, spacing_mm)
    called = {label: names.get(label, str(label)) for label in everywhere}
    if nowhere := [name for label, name in names.items() if label not in everywhere]:
        notes.append(f"not scored, since neither has a voxel of it: {listed(nowhere)}")
    said = tuple(dict.fromkeys(filter(None, (*notes, *found.notes, *wanted.notes))))
    return Evaluation(
        ScoreTable(everywhere, called),
        None if prompts is None else ScoreTable(unprompted, called),
        said,
    )


def _nothing_there(scores: Scores) -> bool:
    return scores.volume_ml == scores.truth_volume_ml == 0


def _clear_prompted(mask: NDArray[np.bool_], box: Box, prompts: Prompts, label: int) -> None:
    """Set the label's prompted slices to False in a RAS+ ``mask`` of a box."""
    for prompt in prompts.of(label):
        along = prompt.axis.value
        if box.start[along] <= prompt.slice_index < box.stop[along]:
            # A view: writes into the mask.
            prompt.axis.to_stack(mask)[prompt.slice_index - box.start[along]] = False
