"""The three directions in which a volume is cut into slices.

A slice is shown as a radiologist sees it: the patient's front at the top of an axial slice, the
head at the top of coronal and sagittal ones, the patient's right on the left of the picture (the
front on the left of a sagittal one). The same frame, rows and columns, is used for prompts, for
the model and for pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import OptionError

Scalar = TypeVar("Scalar", bound=np.generic)


class Axis(Enum):
    """A slicing direction; its value is the RAS+ array axis along which slices follow each other.

    Examples
    --------
    >>> volume = np.zeros((4, 5, 6))
    >>> Axis.AXIAL.to_stack(volume).shape, Axis.SAGITTAL.to_stack(volume).shape
    ((6, 5, 4), (4, 6, 5))
    """

    SAGITTAL = 0
    CORONAL = 1
    AXIAL = 2

    @property
    def label(self) -> str:
        """The axis' anatomical name in lower case."""
        return self.name.lower()

    @property
    def row_axis(self) -> int:
        """RAS+ array axis that runs down the rows of a slice, backwards."""
        return 1 if self is Axis.AXIAL else 2

    @property
    def column_axis(self) -> int:
        """RAS+ array axis that runs along the columns of a slice, backwards."""
        return 1 if self is Axis.SAGITTAL else 0

    def to_stack(self, volume: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return a view of a RAS+ ``volume`` as slices: (slice, row, column)."""
        # (slice, row, column), rows and columns run against the body axes (front, head and
        # the patient's right come first).
        return volume.transpose(self.value, self.row_axis, self.column_axis)[:, ::-1, ::-1]

    def from_stack(self, stack: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return a view of slices (slice, row, column) as a RAS+ volume; undoes `to_stack`."""
        order = np.argsort((self.value, self.row_axis, self.column_axis))
        return stack[:, ::-1, ::-1].transpose(tuple(int(axis) for axis in order))

    @staticmethod
    def named(name: str) -> Axis:
        """Return the axis called ``name`` (axial, coronal or sagittal).

        Raises
        ------
        OptionError
            If there is none of that name.
        """
        try:
            return Axis[name.strip().upper()]
        except KeyError:
            raise OptionError(
                "unknown axis",
                received=name,
                accepted="axial, coronal, sagittal",
                remedy="name one of them",
            ) from None

    @staticmethod
    def several(names: Iterable[str]) -> tuple[Axis, ...]:
        """Return the axes of those names, in order.

        Raises
        ------
        OptionError
            If a name is none of an axis, one is named twice, or none is named.
        """
        named = tuple(Axis.named(name) for name in names)
        if not named or len(set(named)) < len(named):
            raise OptionError(
                "the axes cannot be used",
                received=", ".join(axis.label for axis in named) or "none",
                accepted="one or more of axial, coronal, sagittal, each once",
                remedy="pass for example --axes axial,coronal,sagittal",
            )
        return named
