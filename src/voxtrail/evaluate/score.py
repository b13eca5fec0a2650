"""Scores of a segmentation: label by label, their mean, and once more off the prompted slices."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import Grid
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError, ImageError
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
    """

    everywhere: ScoreTable
    unprompted: ScoreTable | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what ``voxtrail evaluate --json`` prints."""
        table = self.everywhere.to_json()
        if self.unprompted is not None:
            table["unprompted"] = self.unprompted.to_json()
        return table


def evaluate(prediction: LabelMap, truth: LabelMap, prompts: Prompts | None = None) -> Evaluation:
    """Score every label that occurs in the truth or in the prediction.

    A label that only the prediction has counts as a label whose truth is empty, one that only the
    truth has as an empty prediction; neither is dropped.

    Parameters
    ----------
    prediction, truth
        Label maps on one grid; axis order and flips of storage may differ.
    prompts
        What was drawn, on the same grid. For `Evaluation.unprompted` the voxels on each label's
        own prompted slices, on whichever axis, are taken out of both masks before anything is
        measured. Both masks then end at those slices, so that surfaces are also counted there: a
        prompted slice can raise the score of its neighbours a little, never add its own.

    Raises
    ------
    GridError
        If the grids differ; says both.
    ImageError
        If neither map holds a label.
    """
    _check_grids("prediction", prediction.grid, truth.grid)
    labels = sorted({*truth.labels(), *prediction.labels()})
    if not labels:
        raise ImageError(
            "nothing to score: neither the prediction nor the truth holds a label",
            received="two empty label maps",
            accepted="a label in at least one of them",
            remedy="check that the files are the ones that were meant",
        )
    if prompts is not None:
        _check_grids("prompts", prompts.stored.canonical(), truth.grid)
    everywhere: dict[int, Scores] = {}
    unprompted: dict[int, Scores] = {}
    for label in labels:
        pair = prediction.voxels == label, truth.voxels == label
        everywhere[label] = score(*pair, truth.grid.spacing_mm)
        if prompts is not None:
            for mask in pair:
                _clear_prompted(mask, prompts, label)
            unprompted[label] = score(*pair, truth.grid.spacing_mm)
    names = {
        label: truth.names[label] if label in truth.names else prediction.name(label)
        for label in labels
    }
    return Evaluation(
        ScoreTable(everywhere, names),
        None if prompts is None else ScoreTable(unprompted, names),
    )


def _nothing_there(scores: Scores) -> bool:
    return scores.volume_ml == scores.truth_volume_ml == 0


def _clear_prompted(mask: NDArray[np.bool_], prompts: Prompts, label: int) -> None:
    """Set the label's prompted slices to False in a RAS+ ``mask``."""
    for prompt in prompts.of(label):
        prompt.axis.to_stack(mask)[prompt.slice_index] = False  # a view: writes into the mask


def _check_grids(what: str, grid: Grid, truth: Grid) -> None:
    if not grid.same_as(truth):
        raise GridError(
            f"the {what} and the truth lie on different grids",
            received=f"{what}: {grid.describe()}; truth: {truth.describe()}",
            accepted="one grid for both (shape, spacing, origin and directions)",
            remedy="score on the grid of the scan that was segmented",
        )
