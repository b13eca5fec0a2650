"""An experiment: a question, the paper's answer, and the rows that are tried.

An experiment is an instance, in a file of its own in `voxtrail.study.experiments`, that holds every
text about it once: command line, tables, findings and figures are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voxtrail.study.plots import Plot
from voxtrail.study.tasks.base import Task

#: What a table of the experiment shows: scores of segmentations, or its single values.
Shows = Literal["scores", "values", "scores by bone", "seconds"]


@dataclass(frozen=True)
class Paper:
    """What the paper reports of a variant: mean and standard deviation.

    Of the paper's numbers only those of Table I are available to this project.
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
        What is done with each structure.
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
class Claim:
    """A statement that one row scores above another, to be held against the records.

    Parameters
    ----------
    text
        As the paper makes it.
    better, worse
        Names of the two rows.
    bone_type
        Where it is made of one bone.
    """

    text: str
    better: str
    worse: str
    bone_type: str | None = None


@dataclass(frozen=True)
class Recorded:
    """What the committed run (``docs/study``) took and gave.

    Written by ``docs/study/fill.py`` from the run's records and compared with them by a test. The
    run was made with version 2 of the bundled checkpoint `micro` at 256 pixels on an AMD EPYC, one
    core a structure: of the paper's experiments 40 structures of phantoms and 15 of two real CTs,
    of ours ten to twenty and six to eleven
    (``docs/study/README.md``).

    Parameters
    ----------
    minutes
        Of one core for the phantoms' structures, where the experiment is run by itself and scoring
        is not counted.
    dice_phantoms, dice_cts
        Mean Dice of the baseline over all slices.
    """

    minutes: float
    dice_phantoms: float
    dice_cts: float


@dataclass(frozen=True)
class Experiment:
    """One table or figure of the paper, or one of ours.

    Parameters
    ----------
    name
        As the command line calls it.
    place
        Where the paper has it; "ours" where it has not.
    hypothesis
        What is expected, in one line.
    paper_says
        What the paper found, in one line.
    variants
        The rows, in the order of the table.
    baseline
        The variant that the others are tested against; None where nothing is tested.
    shows
        What its table shows.
    by_bone
        Whether a second table shows each bone type.
    timed
        Whether a further table, ``-seconds``, shows what each row took.
    claims
        What is held against the records in the table of findings.
    plots
        Figures of its rows.
    recorded
        What the committed run took and gave; None where it has neither times nor scores.
    """

    name: str
    place: str
    hypothesis: str
    paper_says: str
    variants: tuple[Variant, ...]
    baseline: str | None = None
    shows: Shows = "scores"
    by_bone: bool = False
    timed: bool = False
    claims: tuple[Claim, ...] = ()
    plots: tuple[Plot, ...] = ()
    recorded: Recorded | None = None
