"""The paper's figures 3 to 5, and ours, drawn from records."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voxtrail.study.plots import Lines, Plot
from voxtrail.study.report.findings import similarity
from voxtrail.study.report.results import Results
from voxtrail.study.report.statistics import Estimate, estimate
from voxtrail.study.report.tables import tracking_ms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_IN = (6.4, 4.0)
#: Of a figure with several panels, and how many of them stand beside each other.
PANELS_IN = (9.6, 5.4)
PANELS_ACROSS = 4
DPI = 150
#: Okabe and Ito's colours and grey, which people who see fewer colours can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def figures(results: Results) -> dict[str, Figure]:
    """Return the figures whose experiments have records, by the name of their files, sorted.

    Those that an experiment describes itself (`voxtrail.study.plots`), and `FIGURES`, which take
    more than means of rows.
    """
    found = results.experiments()
    there = {item.name for item in found}
    wanted: dict[str, tuple[str, Callable[[Axes, Results], None]]] = {
        name: (title, draw) for name, (needs, title, draw) in FIGURES.items() if needs in there
    }
    for experiment in found:
        for plot in experiment.plots:
            wanted[plot.name] = plot.title, partial(_plot, plot=plot, experiment=experiment.name)
    made = {}
    for name, (title, draw) in wanted.items():
        made[name], (axes,) = _blank(title, results)
        draw(axes, results)
    for experiment in found:
        for plot in experiment.plots:
            if isinstance(plot, Lines) and plot.by_bone:
                made[f"{plot.name}-bones"] = _bone_by_bone(plot, experiment.name, results)
    return dict(sorted(made.items()))


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG; equal figures give equal text."""
    import matplotlib as mpl

    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "voxtrail", "svg.fonttype": "path"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=DPI)
    return data.getvalue()


def _blank(title: str, results: Results, panels: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many empty panels, which share their scales."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(panels, PANELS_ACROSS)
    rows = -(-panels // columns)
    figure = Figure(figsize=SIZE_IN if panels == 1 else PANELS_IN, layout="constrained")
    FigureCanvasAgg(figure)
    study = results.study["study"]
    whose = "micro (not SAM 2)" if study["model"] == "micro" else study["model"]
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    drawn = list(grid.flat)
    for axes in drawn[panels:]:
        axes.remove()
    whose = f"checkpoint {whose}, {study['weights_sha256'][:8]}; research use only"
    if panels == 1:
        drawn[0].set_title(whose, fontsize=7, color="#666666")
    else:
        figure.supxlabel(whose, fontsize=7, color="#666666")
    for axes in drawn[:panels]:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, drawn[:panels]


def _line(
    axes: Axes, x: Sequence[float], found: Sequence[Estimate], label: str, number: int
) -> None:
    """Draw means with their interval as a band; a single one as a star."""
    at = np.asarray(x, dtype=np.float64)
    mean, low, high = _numbers(found)
    known = ~np.isnan(mean)
    colour = COLOURS[number % len(COLOURS)]
    if len(at) == 1:
        axes.plot(at[known], mean[known], "*", color=colour, label=label, markersize=12)
    elif known.any():
        axes.plot(at[known], mean[known], "o-", color=colour, label=label, markersize=4)
        axes.fill_between(at[known], low[known], high[known], color=colour, alpha=0.15, linewidth=0)


def _numbers(found: Sequence[Estimate]) -> NDArray[np.float64]:
    """Return means and the ends of their intervals: (3, n), NaN where there is none."""
    numbers = [(item.mean, item.low, item.high) for item in found]
    return np.array(numbers, dtype=np.float64).reshape(-1, 3).T


def _bars(axes: Axes, names: Sequence[str], groups: Mapping[str, Sequence[Estimate]]) -> None:
    """Draw groups of bars with their intervals."""
    width = 0.8 / len(groups)
    for number, (label, found) in enumerate(groups.items()):
        at = np.arange(len(names)) + (number - (len(groups) - 1) / 2) * width
        means, low, high = _numbers(found)
        axes.bar(at, means, width, label=label, color=COLOURS[number % len(COLOURS)])
        bounded = ~np.isnan(means) & ~np.isnan(low)
        if bounded.any():
            error = np.stack([means - low, high - means])[:, bounded]
            axes.errorbar(at[bounded], means[bounded], error, fmt="none", color="#333333",
                          linewidth=0.8, capsize=1.5)  # fmt: skip
    axes.set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=7)
    axes.legend(fontsize=7, frameon=False)


def _plot(
    axes: Axes, results: Results, plot: Plot, experiment: str, bone_type: str | None = None
) -> None:
    """Draw what an experiment describes, of all structures or of one bone type."""
    found = {
        series.label: [
            estimate(results.values(experiment, name, series.column, bone_type))
            for name in series.variants
        ]
        for series in plot.series
    }
    if isinstance(plot, Lines):
        for number, series in enumerate(plot.series):
            _line(axes, series.at, found[series.label], series.label, number)
        places = sorted({place for series in plot.series for place in series.at})
        axes.set(xlabel=plot.xlabel, xticks=places)
        axes.legend(fontsize=7, frameon=False)
    else:
        _bars(axes, plot.ticks, found)
    axes.set(ylabel=plot.ylabel)


def _bone_by_bone(plot: Lines, experiment: str, results: Results) -> Figure:
    """Draw a plot once more with a panel a bone type, which says of how many structures it is."""
    bones = results.bone_types()
    figure, panels = _blank(f"{plot.title}, by bone", results, len(bones))
    for number, (axes, bone) in enumerate(zip(panels, bones, strict=True)):
        _plot(axes, results, plot, experiment, bone)
        count = len(results.values(experiment, plot.series[0].variants[0], "dice", bone))
        axes.set_title(f"{bone}, {count}", fontsize=8)
        axes.tick_params(labelsize=6)
        axes.label_outer()
        if number and (legend := axes.get_legend()):
            legend.remove()
    return figure


def _embeddings(axes: Axes, results: Results) -> None:
    matrix = similarity(results)
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    for (i, j), value in np.ndenumerate(matrix):
        axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7,
                  color="white" if abs(value) > 0.6 else "black")  # fmt: skip
    names = [f"e{i}" for i in range(len(matrix) - 1)] + ["outlined"]
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.grid(visible=False)
    axes.figure.colorbar(image, ax=axes, label="cosine similarity")


def _bones(axes: Axes, results: Results) -> None:
    bones = results.bone_types()
    groups = {
        variant: [estimate(results.values("per-bone", variant, "dice", bone)) for bone in bones]
        for variant in ("baseline", "IS + SPS", "signed-distance")
    }
    _bars(axes, bones, groups)
    axes.set_ylabel("Dice, all slices")


def _components(axes: Axes, results: Results) -> None:
    columns = {
        "image encoding": "image_encoder_s",
        "memory attention": "memory_attention_s",
        "memory encoder": "memory_encoder_s",
        "mask decoder": "mask_decoder_s",
    }
    groups = {
        variant: [estimate(results.values("timing", variant, column))
                  for column in columns.values()]
        for variant in ("6 memories", "intelligent slicing", "IS + SPS")
    }  # fmt: skip
    _bars(axes, list(columns), groups)
    axes.set_ylabel("seconds a structure")


def _tracking(axes: Axes, results: Results) -> None:
    names = [f"{k} memories" for k in range(7)]
    found = [estimate(tracking_ms(results, "timing", name)) for name in names]
    _line(axes, range(7), found, "plain", 0)
    _line(axes, [2], [estimate(tracking_ms(results, "timing", "intelligent slicing"))], "IS", 1)
    axes.set(xlabel="recent slices attended to", ylabel="tracking, ms a slice")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7, frameon=False)


def _change(axes: Axes, results: Results) -> None:
    apart = range(1, 7)
    for number, bone in enumerate(results.bone_types()):
        found = [
            estimate(results.values("slice-change", f"mask {d} apart", "value", bone))
            for d in apart
        ]
        means = _numbers(found)[0]
        style = "-" if number < len(COLOURS) else "--"
        axes.plot(apart, means, f"o{style}", color=COLOURS[number % len(COLOURS)], label=bone,
                  markersize=3, linewidth=1)  # fmt: skip
    axes.set(xlabel="slices apart", ylabel="Dice of the true outlines")
    axes.legend(fontsize=6, frameon=False, ncols=2)


#: By file name: the experiment that it needs, its title, and what draws it.
FIGURES: dict[str, tuple[str, str, Callable[[Axes, Results], None]]] = {
    "figure-3b-ii": ("embeddings", "Figure 3b.ii: temporal embeddings compared", _embeddings),
    "figure-3c-bones": ("per-bone", "Figure 3c: bone by bone", _bones),
    "figure-4a": ("timing", "Figure 4a: time of each component", _components),
    "figure-4b": ("timing", "Figure 4b: tracking time against memory size", _tracking),
    "figure-5": ("slice-change", "Figure 5: how fast outlines change along the axis", _change),
}
