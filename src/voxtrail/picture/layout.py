"""Where the panels of a contact sheet go: arithmetic in millimetres and inches, no drawing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

#: Width of the sheet, how high its panels may reach, and its width over its height where the
#: scan's proportions allow it.
WIDTH_IN = 15.0
PANELS_HIGH_IN = 15.0
BEST_ASPECT = 1.6
#: The axial panels are what is judged. The two long views take at most this share of the width
#: (beside them) or of the height (below them), and are at most so many times as large.
LONG_VIEWS_SHARE = 0.6
LONG_VIEWS_SCALE = 1.5
#: What an empty share of the sheet weighs against the logarithm of its proportions.
EMPTY_WEIGHT = 2.0
GAP_IN = 0.06
HEADER_IN = 0.35
FOOTER_IN = 0.3
LEGEND_ROW_IN = 0.24
LEGEND_COLUMNS = 6

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class Arrangement:
    """One way to lay the panels out, in millimetres of the scan and without gaps.

    Parameters
    ----------
    size_mm
        Of the part that is shown, along the RAS+ axes.
    panels, columns
        Number of axial panels, and of those in a row.
    beside
        Whether the two long views stand beside the axial panels, one above the other; otherwise
        they lie below them side by side.
    """

    size_mm: tuple[float, float, float]
    panels: int
    columns: int
    beside: bool

    @property
    def rows(self) -> int:
        """Number of rows of axial panels."""
        return math.ceil(self.panels / self.columns)

    @property
    def scale(self) -> float:
        """How many times as large as the axial panels the long views are drawn."""
        x_mm, y_mm, z_mm = self.size_mm
        wide_mm, high_mm = self.columns * x_mm, self.rows * y_mm
        if self.beside:
            fitting = high_mm / (2 * z_mm), LONG_VIEWS_SHARE * wide_mm / max(x_mm, y_mm)
        else:
            fitting = wide_mm / (x_mm + y_mm), LONG_VIEWS_SHARE * high_mm / z_mm
        return min(*fitting, LONG_VIEWS_SCALE)

    @property
    def long_mm(self) -> tuple[float, float]:
        """Width and height that the two long views take together."""
        x_mm, y_mm, z_mm = (side * self.scale for side in self.size_mm)
        return (max(x_mm, y_mm), 2 * z_mm) if self.beside else (x_mm + y_mm, z_mm)

    @property
    def total_mm(self) -> tuple[float, float]:
        """Width and height of everything."""
        wide_mm, high_mm = self.columns * self.size_mm[0], self.rows * self.size_mm[1]
        long_wide_mm, long_high_mm = self.long_mm
        if self.beside:
            return wide_mm + long_wide_mm, max(high_mm, long_high_mm)
        return max(wide_mm, long_wide_mm), high_mm + long_high_mm

    @property
    def misfit(self) -> float:
        """How far it is from a sheet of the best proportions, and from a full one."""
        x_mm, y_mm, z_mm = self.size_mm
        wide_mm, high_mm = self.total_mm
        used = self.panels * x_mm * y_mm + (x_mm + y_mm) * z_mm * self.scale**2
        empty = 1 - used / (wide_mm * high_mm)
        return abs(math.log(wide_mm / high_mm / BEST_ASPECT)) + EMPTY_WEIGHT * empty


@dataclass(frozen=True)
class Layout:
    """Rectangles in shares of the sheet: left, bottom, width, height.

    Parameters
    ----------
    height_in
        Of the sheet; its width is `WIDTH_IN`.
    axial
        One rectangle a panel, row by row.
    coronal, sagittal
        The two long views.
    legend_top
        Height at which the legend begins, as a share.
    """

    height_in: float
    axial: tuple[Rectangle, ...]
    coronal: Rectangle
    sagittal: Rectangle
    legend_top: float

    @classmethod
    def of(cls, size_mm: tuple[float, float, float], panels: int, names: int) -> Layout:
        """Arrange a number of axial panels and a legend of a number of names.

        Every panel keeps the proportions in millimetres of what it shows; the axial ones share one
        scale, the two long views another.

        Parameters
        ----------
        size_mm
            Of the part that is shown, along the RAS+ axes.
        panels, names
            Number of axial panels and of labels, 1 or more and 0 or more.
        """
        best = min(_arrangements(size_mm, panels), key=lambda arrangement: arrangement.misfit)
        columns, rows = best.columns, best.rows
        wide_mm, high_mm = best.total_mm
        # Inches on the sheet a millimetre, between the gaps.
        inch = min(
            (WIDTH_IN - GAP_IN * (columns + 2)) / wide_mm,
            (PANELS_HIGH_IN - GAP_IN * (rows + 2)) / high_mm,
        )
        x_in, y_in, _ = (side * inch for side in size_mm)
        long_x_in, long_y_in, long_z_in = (side * inch * best.scale for side in size_mm)
        axial_bottom = HEADER_IN + rows * (y_in + GAP_IN)
        if best.beside:
            right = GAP_IN + columns * (x_in + GAP_IN)
            coronal = right, HEADER_IN, long_x_in, long_z_in
            sagittal = right, HEADER_IN + long_z_in + GAP_IN, long_y_in, long_z_in
            bottom = max(axial_bottom, HEADER_IN + 2 * (long_z_in + GAP_IN))
        else:
            coronal = GAP_IN, axial_bottom, long_x_in, long_z_in
            sagittal = 2 * GAP_IN + long_x_in, axial_bottom, long_y_in, long_z_in
            bottom = axial_bottom + long_z_in + GAP_IN
        height = bottom + math.ceil(names / LEGEND_COLUMNS) * LEGEND_ROW_IN + FOOTER_IN

        def share(left: float, top: float, wide: float, high: float) -> Rectangle:
            return left / WIDTH_IN, 1 - (top + high) / height, wide / WIDTH_IN, high / height

        return cls(
            height_in=height,
            axial=tuple(
                share(
                    GAP_IN + (index % columns) * (x_in + GAP_IN),
                    HEADER_IN + (index // columns) * (y_in + GAP_IN),
                    x_in,
                    y_in,
                )
                for index in range(panels)
            ),
            coronal=share(*coronal),
            sagittal=share(*sagittal),
            legend_top=1 - bottom / height,
        )


def _arrangements(size_mm: tuple[float, float, float], panels: int) -> Iterator[Arrangement]:
    for columns in range(1, panels + 1):
        for beside in (True, False):
            yield Arrangement(size_mm, panels, columns, beside)
