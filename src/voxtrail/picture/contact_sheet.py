"""One picture of a whole segmentation: slices with outlines, to be judged at a glance."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.palette import colours as colours_of
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.picture.layout import (
    FOOTER_IN,
    GAP_IN,
    HEADER_IN,
    LEGEND_COLUMNS,
    WIDTH_IN,
    Layout,
)
from voxtrail.picture.scene import BLACK_HU, WHITE_HU, Scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Axial panels: as many as can be looked at one by one.
PANELS = 16
PAPER, INK, PROMPTED = "#101418", "#e8edf2", "#ffffff"
DPI = 110
#: Labels named by a square on a prompted slice, before the rest is counted.
SQUARES = 10
DISCLAIMER = "voxtrail: research use only, not a medical device"
#: Sides of the picture by axis: what lies at its left and at its right edge (`Axis`).
EDGES = {Axis.AXIAL: ("R", "L"), Axis.CORONAL: ("R", "L"), Axis.SAGITTAL: ("A", "P")}


def contact_sheet(volume: Volume, labels: LabelMap, prompts: Prompts | None = None) -> bytes:
    """Draw axial slices evenly spread over the labels, one coronal and one sagittal slice.

    Where few slices are prompted, those are among them. The part around the labels is shown in a
    bone window, in its true proportions, with the outline of each label in its colour. The two
    long views are the slices with the most labelled pixels; ticks at their sides mark the prompted
    axial slices. A panel on a prompted slice has a white frame and a tag with the colours of the
    labels that were drawn there. Slices carry the numbers of the stored file: array axis i, j or k,
    and index from 0. The patient's right is on the left.

    Parameters
    ----------
    volume
        The scan.
    labels
        On the scan's grid; where no voxel has a label, the whole scan is shown.
    prompts
        What was drawn, on the scan's grid.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    GridError
        If the labels or the prompts lie on another grid than the scan.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scene = Scene.around(volume, labels, prompts)
    present = labels.labels()
    colours = colours_of(present)
    slices = scene.spread(Axis.AXIAL, PANELS)
    layout = Layout.of(scene.size_mm, len(slices), len(present))
    figure = Figure(figsize=(WIDTH_IN, layout.height_in), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)  # draws without a display, and leaves pyplot's state alone
    for rectangle, index in zip(layout.axial, slices, strict=True):
        _draw_slice(figure.add_axes(rectangle), scene, Axis.AXIAL, index, colours)
    for rectangle, axis in ((layout.coronal, Axis.CORONAL), (layout.sagittal, Axis.SAGITTAL)):
        panel = figure.add_axes(rectangle)
        _draw_slice(panel, scene, axis, scene.fullest(axis), colours)
        _mark_prompted_axial(panel, scene)
    _write_around(
        figure, layout, scene, [(colours[label], labels.name(label)) for label in present]
    )
    png = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; that is no reason to warn.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(png, format="png", facecolor=PAPER)
    return png.getvalue()


def _draw_slice(panel: Axes, scene: Scene, axis: Axis, index: int, colours: dict[int, str]) -> None:
    """Draw one slice with its outlines, number, sides and, if it was prompted, its frame."""
    hu, labels = axis.to_stack(scene.hu)[index], axis.to_stack(scene.labels)[index]
    row_mm, column_mm = scene.pixel_mm(axis)
    rows, columns = hu.shape
    panel.imshow(
        hu,
        cmap="gray",
        vmin=BLACK_HU,
        vmax=WHITE_HU,
        extent=(0, columns * column_mm, rows * row_mm, 0),
        interpolation="bilinear",
        aspect="equal",
    )
    panel.set(xticks=[], yticks=[], autoscale_on=False)
    for label in np.unique(labels[labels != 0]):
        _draw_outline(panel, labels == label, (row_mm, column_mm), colours[int(label)])
    drawn = scene.prompted(axis).get(index, [])
    panel.spines[:].set(color=PROMPTED if drawn else PAPER, linewidth=2.5 if drawn else 0.5)
    small: dict[str, Any] = {"color": INK, "fontsize": 8, "transform": panel.transAxes}
    shade = {"facecolor": PAPER, "alpha": 0.7, "edgecolor": "none", "pad": 1.5}
    number = f"{axis.label}  {scene.stored_name(axis, index)}"
    panel.text(0.02, 0.02, number, va="bottom", bbox=shade, **small)
    for at, side, align in zip((0.01, 0.99), EDGES[axis], ("left", "right"), strict=True):
        panel.text(at, 0.5, side, ha=align, va="center", **small)
    if drawn:
        tag = panel.annotate(
            "prompt", (0.03, 0.97), xycoords="axes fraction", va="top", fontsize=8, color=PAPER,
            fontweight="bold", bbox={**shade, "facecolor": PROMPTED, "alpha": 1.0},
        )  # fmt: skip
        # Squares follow the tag, wherever its text ends; a few, as the panel is no wider.
        squares = [("\N{BLACK SQUARE}", colours.get(label, INK)) for label in drawn[:SQUARES]]
        if len(drawn) > SQUARES:
            squares.append((f"+{len(drawn) - SQUARES}", INK))
        for rank, (text, colour) in enumerate(squares):
            panel.annotate(
                text, (1, 0.5), xycoords=tag, xytext=(5 + 9 * rank, 0),
                textcoords="offset points", va="center", fontsize=9,
                color=colour,
            )  # fmt: skip


def _draw_outline(
    panel: Axes, mask: NDArray[np.bool_], pixel_mm: tuple[float, float], colour: str
) -> None:
    """Draw the line halfway between the pixels inside a mask and those outside."""
    from contourpy import contour_generator
    from matplotlib.collections import LineCollection

    # A border of background closes the outlines of masks that reach the edge of the picture.
    padded = np.pad(mask, 1).astype(np.float64)
    y_mm, x_mm = (
        (np.arange(count) - 0.5) * mm for count, mm in zip(padded.shape, pixel_mm, strict=True)
    )
    lines: list[Any] = list(contour_generator(x_mm, y_mm, padded).lines(0.5))
    # A dark line underneath keeps the colour visible on bright bone.
    panel.add_collection(LineCollection(lines, colors=PAPER, linewidths=2.4, alpha=0.6))
    panel.add_collection(LineCollection(lines, colors=colour, linewidths=1.3))


def _mark_prompted_axial(panel: Axes, scene: Scene) -> None:
    """Mark at both sides of a coronal or sagittal panel where the prompted axial slices are."""
    from matplotlib.collections import LineCollection

    slices = scene.hu.shape[Axis.AXIAL.value]
    # Shares of the panel; slices run upwards, as heights do.
    heights = [(index + 0.5) / slices for index in scene.prompted(Axis.AXIAL)]
    ticks = [
        [(left, height), (left + 0.03, height)]
        for height in heights
        if 0 < height < 1
        for left in (0.0, 0.97)
    ]
    panel.add_collection(LineCollection(ticks, colors=PROMPTED, transform=panel.transAxes))


def _write_around(
    figure: Figure, layout: Layout, scene: Scene, names: list[tuple[str, str]]
) -> None:
    """Write the header, the legend and the footer."""
    from matplotlib.lines import Line2D

    height = layout.height_in
    left = GAP_IN / WIDTH_IN
    header = "Axial slices from the feet up, numbered as stored."
    if scene.prompts is not None:
        header += "  White frame and ticks: prompted slices."
    if not names:
        header += "  No voxel is labelled."
    header_y = 1 - HEADER_IN / 2 / height
    figure.text(left, header_y, header, color=INK, fontsize=10, va="center")
    figure.text(
        0.5, FOOTER_IN / 2 / height, DISCLAIMER, color=INK, fontsize=9, ha="center", va="center"
    )
    if not names:
        return
    legend = figure.legend(
        handles=[Line2D([], [], color=colour, linewidth=4, label="x") for colour, _ in names],
        loc="upper center",
        bbox_to_anchor=(0.5, layout.legend_top),
        ncols=min(len(names), LEGEND_COLUMNS),
        labelcolor=INK,
        frameon=False,
        fontsize=10,
        borderaxespad=0,
        borderpad=0.2,
    )
    for text, (_, name) in zip(legend.get_texts(), names, strict=True):
        # A name is shown as it is: dollar signs are no formula, an underscore hides nothing.
        text.set(parse_math=False, text=name)
