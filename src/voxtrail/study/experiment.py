"""What every experiment has in common: a question, the paper's answer, and the variants to try."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from voxtrail.study.tasks.base import Task

#: What a table of the experiment shows: scores of segmentations, or its single values.
Shows = Literal["scores", "values", "scores by bone", "seconds"]


@dataclass(frozen=True)
class Paper:
    """What the paper reports of a variant: mean and standard deviation.

    The text that the project has kept Table I only; the numbers of Tables V to VII were lost.
    """

    dice: float
    dice_sd: float
    iou: float
    iou_sd: float
    hausdorff: float
    hausdorff_sd: float


@dataclass(frozen=True)
class Variant:
    """One row of a table.

    Parameters
    ----------
    name
        Unique in its experiment.
    task
        What is done with each case.
    against
        The variant that it is tested against; None takes the experiment's baseline.
    paper
        The paper's numbers, where they are known.
    """

    name: str
    task: Task
    against: str | None = None
    paper: Paper | None = None


@dataclass(frozen=True)
class Experiment(ABC):
    """One table or figure of the paper, or one of ours.

    Attributes
    ----------
    name
        As the command line calls it.
    place
        Where the paper has it; "ours" where it has not.
    hypothesis
        What is expected, in one line.
    paper_says
        What the paper found, in one line.
    baseline
        The variant that the others are tested against; None where nothing is tested.
    shows
        What its table shows.
    """

    name: ClassVar[str]
    place: ClassVar[str]
    hypothesis: ClassVar[str]
    paper_says: ClassVar[str]
    baseline: ClassVar[str | None] = None
    shows: ClassVar[Shows] = "scores"

    @abstractmethod
    def variants(self) -> tuple[Variant, ...]:
        """Return the rows, in the order of the table."""
