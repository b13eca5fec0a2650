"""The picture of a run: every step's loss and the Dice on held-out scenes, against steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.state import History

SMOOTHED_STEPS = 25
"""Steps over which the drawn loss is averaged."""


def draw_curve(history: History, path: Path) -> None:
    """Draw ``history`` to a PNG file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, figsize=(7, 6), sharex=True)
    losses = np.array(history.losses)
    window = min(SMOOTHED_STEPS, len(losses))
    if window:
        smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
        above.plot(np.arange(window, len(losses) + 1), smooth, linewidth=0.8)
    above.set(ylabel="loss", yscale="log")
    names = [k for k in (history.validations or [{}])[0] if k not in ("step", "size")]
    steps = [entry["step"] for entry in history.validations]
    for name in names:
        style = ":" if name.endswith("copied") else "-"
        values = [entry[name] for entry in history.validations]
        below.plot(steps, values, style, marker=".", label=name)
    below.set(xlabel="step", ylabel="Dice, held-out scenes")
    if names:
        below.legend(fontsize="x-small")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
