"""Figures that an experiment asks for: which of its rows are drawn, and against what.

They are descriptions; `voxtrail.study.report.figures` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """Rows of an experiment that belong together: one line, or one colour of bars.

    Parameters
    ----------
    label
        In the legend.
    variants
        Names of the rows, in the order of the plot.
    column
        The measure, such as ``dice`` (all slices) or ``unprompted_dice`` (off the outlines).
    at
        Of `Lines`: the number on the horizontal axis of each row. A single row is drawn as a star.
    """

    label: str
    variants: tuple[str, ...]
    column: str = "unprompted_dice"
    at: tuple[float, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Means against a number, with their intervals as bands.

    Parameters
    ----------
    name
        Of the files.
    title, xlabel, ylabel
        As they are written.
    series
        The lines.
    by_bone
        Whether there is a second figure with a panel a bone type; ``-bones`` ends its name.
    """

    name: str
    title: str
    xlabel: str
    series: tuple[Series, ...]
    ylabel: str = "Dice off outlines"
    by_bone: bool = False


@dataclass(frozen=True)
class Bars:
    """Means as bars, with their intervals.

    Parameters
    ----------
    name
        Of the files.
    title, ylabel
        As they are written.
    ticks
        What the bars of each series are called, one a row.
    series
        The colours.
    """

    name: str
    title: str
    ticks: tuple[str, ...]
    series: tuple[Series, ...]
    ylabel: str = "Dice off outlines"


#: What an experiment may ask for.
Plot = Lines | Bars


def both_measures(variants: tuple[str, ...], at: tuple[float, ...] = ()) -> tuple[Series, ...]:
    """Return the same rows by both measures: Dice over all slices, and off the outlines."""
    return (
        Series("all slices", variants, "dice", at),
        Series("off outlines", variants, "unprompted_dice", at),
    )
