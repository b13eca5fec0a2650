"""Which slices of a structure a person would outline, known from where the structure is.

The four choices of the paper's prompt experiment. Used by `simulate` and the study.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.family import Family
from voxtrail.errors import OptionError


@dataclass(frozen=True)
class PromptSlices(ABC):
    """A choice of slices to outline."""

    name: ClassVar[str]

    @abstractmethod
    def choose(self, occupied: NDArray[np.int64]) -> tuple[int, ...]:
        """Return the slices to outline, distinct and rising.

        A chosen slice that the structure leaves out (a gap) gives way to the nearest one that it
        does not, the lower of two.

        Parameters
        ----------
        occupied
            (n,) int64, rising, n >= 1: numbers of the slices on which the structure is.
        """


@dataclass(frozen=True)
class Middle(PromptSlices):
    """The slice midway between the first and the last; the lower of two.

    Examples
    --------
    >>> Middle().choose(np.arange(10, 14))
    (11,)
    """

    name: ClassVar[str] = "middle"

    def choose(self, occupied: NDArray[np.int64]) -> tuple[int, ...]:
        """Return the slice; see `PromptSlices.choose`."""
        return _nearest(occupied, [(int(occupied[0]) + int(occupied[-1])) // 2])


@dataclass(frozen=True)
class FirstLast(PromptSlices):
    """The first and the last slice.

    Examples
    --------
    >>> FirstLast().choose(np.arange(10, 14))
    (10, 13)
    """

    name: ClassVar[str] = "first-last"

    def choose(self, occupied: NDArray[np.int64]) -> tuple[int, ...]:
        """Return the slices; see `PromptSlices.choose`."""
        return _evenly(occupied, 2)


@dataclass(frozen=True)
class FirstMiddleLast(PromptSlices):
    """The first, the middle and the last slice: the paper's baseline.

    Examples
    --------
    >>> FirstMiddleLast().choose(np.arange(10, 14))
    (10, 11, 13)
    """

    name: ClassVar[str] = "first-middle-last"

    def choose(self, occupied: NDArray[np.int64]) -> tuple[int, ...]:
        """Return the slices; see `PromptSlices.choose`."""
        return _evenly(occupied, 3)


@dataclass(frozen=True)
class Uniform(PromptSlices):
    """Slices evenly spaced from the first to the last, both included.

    Parameters
    ----------
    k
        How many, 2 or more; fewer come back where the structure has fewer. Places between slices
        are rounded down.

    Raises
    ------
    OptionError
        If k is below 2.

    Examples
    --------
    >>> Uniform(5).choose(np.arange(10, 21))
    (10, 12, 15, 17, 20)
    """

    name: ClassVar[str] = "uniform"
    k: int = 5

    def __post_init__(self) -> None:
        if self.k < 2:
            raise OptionError(
                "too few slices to space evenly",
                received=f"uniform:{self.k}",
                accepted="uniform:K with K of 2 or more",
                remedy="for a single slice, name middle",
            )

    def choose(self, occupied: NDArray[np.int64]) -> tuple[int, ...]:
        """Return the slices; see `PromptSlices.choose`."""
        return _evenly(occupied, self.k)


#: Every choice in this package.
PROMPT_SLICES = Family(
    "voxtrail.evaluate",
    PromptSlices,  # type: ignore[type-abstract]
    "choice of prompted slices",
)


def parse_prompt_slices(text: str) -> PromptSlices:
    """Build the choice that ``text`` names: a name, or ``uniform:K``.

    Raises
    ------
    OptionError
        If there is none of that name or K does not fit; lists the valid ones.

    Examples
    --------
    >>> parse_prompt_slices("uniform:7")
    Uniform(k=7)
    """
    name, _, rest = text.strip().partition(":")
    return PROMPT_SLICES.parse(f"{name}:k={rest}" if rest.isdecimal() else text)


def _evenly(occupied: NDArray[np.int64], count: int) -> tuple[int, ...]:
    first, last = int(occupied[0]), int(occupied[-1])
    # Whole-number division, so that no rounding of floats decides which slice is meant.
    return _nearest(occupied, [first + i * (last - first) // (count - 1) for i in range(count)])


def _nearest(occupied: NDArray[np.int64], wanted: list[int]) -> tuple[int, ...]:
    # argmin takes the first, so the lower, of two that are as near.
    chosen = {int(occupied[np.abs(occupied - index).argmin()]) for index in wanted}
    return tuple(sorted(chosen))
