"""The best and the worst structures as pictures: a row a structure, truth and result outlined."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.study.pictures import Pictures
from voxtrail.study.report.results import Results
from voxtrail.study.tasks.base import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Whose results are shown.
EXPERIMENT, VARIANT = "final", "IS + SPS"
CASES = 6
PANEL_IN = 1.35
TRUTH, FOUND, OUTLINED = "#56B4E9", "#E69F00", "#009E73"


def sheets(results: Results, pictures: Pictures) -> dict[str, bytes]:
    """Return PNGs of the worst and the best structures, by name; none without pictures."""
    rows = results.rows(EXPERIMENT, VARIANT)
    ranked = rows.unprompted_dice.dropna().sort_values()
    chosen = {"worst": ranked.index[:CASES], "best": ranked.index[::-1][:CASES]}
    made = {}
    for name, places in chosen.items():
        shown = []
        for case, structure in places:
            picture = pictures.find(case, structure, VARIANT)
            if picture is not None:
                dice = float(ranked.loc[(case, structure)])
                shown.append((f"{case}\n{structure}\nDice {dice:.2f}", picture))
        if shown:
            title = f"The {len(shown)} {name} structures of {VARIANT}, by Dice off outlines"
            made[name] = _sheet(title, results.warning(), shown)
    return made


def _sheet(title: str, warning: str, shown: list[tuple[str, Picture]]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = max(len(picture.slices) for _, picture in shown)
    size = (PANEL_IN * (columns + 0.9), PANEL_IN * len(shown) + 0.9)
    figure = Figure(figsize=size, layout="constrained", facecolor="black")
    FigureCanvasAgg(figure)
    legend = "truth: blue; result: orange; outlined slice: green frame"
    figure.suptitle(f"{title}. {legend}\n{warning}", color="white", fontsize=8)
    widths = [0.9] + [1.0] * columns
    panels: Any = figure.subplots(len(shown), columns + 1, squeeze=False, width_ratios=widths)
    for row, (text, picture) in zip(panels, shown, strict=True):
        row[0].axis("off")
        row[0].text(0, 0.5, text, color="white", fontsize=8, va="center")
        for number, panel in enumerate(row[1:]):
            if number < len(picture.slices):
                _panel(panel, picture, number)
            else:
                panel.axis("off")
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110, facecolor="black")
    return data.getvalue()


def _panel(panel: Axes, picture: Picture, number: int) -> None:
    panel.imshow(picture.grey[number], cmap="gray", vmin=0, vmax=255)
    _outline(panel, picture.truth[number], TRUTH)
    _outline(panel, picture.found[number], FOUND)
    outlined = bool(picture.prompted[number])
    panel.spines[:].set(color=OUTLINED if outlined else "#444444", linewidth=2 if outlined else 0.5)
    panel.set(xticks=[], yticks=[])


def _outline(panel: Axes, mask: NDArray[np.bool_], colour: str) -> None:
    from contourpy import contour_generator

    # A border of background closes outlines that reach the side of the crop.
    lines: Any = contour_generator(z=np.pad(mask, 1).astype(np.float64)).lines(0.5)
    for line in lines:
        panel.plot(line[:, 0] - 1, line[:, 1] - 1, color=colour, linewidth=0.9)
    rows, columns = mask.shape
    panel.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
