"""The picture of a run: loss and validation Dice against steps."""

from __future__ import annotations

from pathlib import Path

from training.state import History


def draw_curve(history: History, path: Path) -> None:
    """Draw ``history`` to a PNG file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, figsize=(7, 6), sharex=True)
    above.plot(history.steps, history.losses, linewidth=0.8)
    above.set(ylabel="loss", yscale="log")
    names = [k for k in (history.validations or [{}])[0] if k not in ("step", "size")]
    steps = [entry["step"] for entry in history.validations]
    for name in names:
        below.plot(steps, [entry[name] for entry in history.validations], marker=".", label=name)
    below.set(xlabel="step", ylabel="Dice, held-out scenes")
    if names:
        below.legend()
    for axes in (above, below):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
