"""A bench as a page of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voxtrail.io.atomic import replacing

#: What each component is called in the paper's Figure 4a.
COMPONENTS = ("image encoder", "memory attention", "memory encoder", "mask decoder")
#: What was to be reached on two cores with SAM 2.1 small at 1024 pixels.
ASKED = {
    "baseline": 2.5,
    "is+sps": 4.0,
    "resolution-512": 12.0,
    "labels-8": 2.0,
    "labels-8-default": 1.3,
    "rerun": 5.0,
    "rerun-wider": 5.0,
}


def write_table(result: dict[str, Any], command: str, path: Path) -> None:
    """Write what `voxtrail.bench.run_bench` returned as Markdown, replacing what was there."""
    machine = result["machine"]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}`. Weights: {machine['weights']}; {machine['processor']}, "
        f"{machine['cores']} cores, {machine['device']}, {machine['date']}; "
        + ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
        + f". {machine['slices']} slices of which three are outlined, medians of "
        f"{machine['repeats']} interleaved rounds. Matrix products reach "
        + " and ".join(f"{n} GFLOP/s in {kind}" for kind, n in machine["gigaflops"].items())
        + ". Research use only. Not a medical device.",
        "",
        *_unfinished(result["missing"]),
        "| run | preset | pixels | labels | runtime | encoded | tracked | s a slice | floor | "
        "peak MiB | " + " | ".join(COMPONENTS) + " |",
        "|---" * (10 + len(COMPONENTS)) + "|",
        *(_row(run) for run in result["runs"]),
        *(
            f"| {key} | cannot run: {reason.replace('|', '/')} |" + " |" * (8 + len(COMPONENTS))
            for key, reason in result["failed"].items()
        ),
        "",
        "*encoded*, *tracked*: slices that went through the image encoder and that were segmented, "
        "in all labels and passes. `resolution-N`, `labels-N` (one crop for all) and the variants "
        "set what their names say; the runs with *default* in their names, `first` and `rerun` set "
        "no option, and each of their labels has a crop of its own. A crop that a mask reaches the "
        "border of grows and is run again, which random weights bring about more often than "
        "trained ones; the crops of `first` and `rerun` have grown before they are timed.",
        "",
        "*floor*: the floating-point operations of the run's matrix products and convolutions over "
        "what this machine's matrix products reach. Components: seconds a slice of the stack "
        "(the paper's Figure 4a); on a GPU, of a run of their own that waits for it after each. "
        "*Peak*: on a processor, of the process, which does the runs of one model one after the "
        "other: what earlier ones took, and the process kept, is counted.",
        "",
        "| ratio | measured | asked | at the floor |",
        "|---|---|---|---|",
        *(
            f"| {name} | {value:.2f} | {_asked(name, machine['device'])} | "
            f"{result['ratios_at_ceiling'].get(name, '')} |"
            for name, value in result["ratios"].items()
        ),
        "",
        "`labels-N` is the cost of N labels in one crop over that of one; `labels-N-default` the "
        "model's time for N labels with default options over the sum of its times for each label "
        "by itself; `rerun` the time of a first run over that of a second one on what the first "
        "one cached, with one more outline, `rerun-wider` with one more that is wider than any "
        "before, `rerun-middle` with the middle outline redrawn; the others are the first peer's "
        "time over voxtrail's. *Asked*: the least that was to be reached before voxtrail was "
        "called fast, set before it was measured, of one label on two cores with bfloat16. *At "
        "the floor*: what the ratio would be if voxtrail did nothing but matrix products, at this "
        "machine's best rate.",
        "",
        "What limits each: one label, the products of encoder and memory attention, and their "
        "softmax, which no matrix unit does. Several labels: all of memory attention but the first "
        "layer's look at the slice itself is done for each label, because from there on its "
        "queries depend on the label; only the encoder is shared"
        f"{_tracking_over_encoding(result)}. To share more would be to let labels attend to what "
        "other labels remember, which changes masks and which SAM 2 was not trained for: so the "
        "floor of `labels-N` is what exact masks cost. A second run: the slices that the "
        "correction reaches, by the policy's own rule; the faster the encoder, the less to spare.",
        "",
        "| masks compared (un-prompted slices) | Dice |",
        "|---|---|",
        *(f"| {name} | {value:.5f} |" for name, value in result["agreement_dice"].items()),
        "",
        "| recent memories | memory attention, s a tracked slice |",
        "|---|---|",
        *(f"| `{name}` | {_seconds(value)} |" for name, value in result["memory_size_s"].items()),
        "",
        "Three prompted slices are attended to besides (the paper's Figure 4b).",
    ]
    with replacing(path, True) as place:
        place.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _unfinished(missing: list[str]) -> tuple[str, ...]:
    return (f"Not finished: to come are {', '.join(missing)}.", "") if missing else ()


def _row(run: dict[str, Any]) -> str:
    floor, peak = run["ceiling_seconds_per_slice"], run["peak_mib"]
    cells = [
        run["key"] if run["who"] == "voxtrail" else f"**{run['who']}**",
        run["preset"],
        run["resolution"],
        run["labels"],
        run["runtime"],
        *("" if run[what] is None else run[what] for what in ("encoded", "tracked")),
        _seconds(run["seconds_per_slice"]),
        _seconds(floor) if floor else "",
        peak or "",
        *(_seconds(run["components_s"].get(name, 0.0)) for name in COMPONENTS),
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _tracking_over_encoding(result: dict[str, Any]) -> str:
    found = [run["components_s"] for run in result["runs"] if run["key"] == "is+sps"]
    if not found:
        return ""
    encoding = float(found[0]["image encoder"])
    over = (float(sum(found[0].values())) - encoding) / encoding
    return (
        f", and to track a slice takes x = {over:.2f} of the time that it takes to encode it, so N "
        "labels cost about (1 + N x) / (1 + x) times one"
    )


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def _asked(name: str, device: str) -> str:
    bound = ASKED.get(name) if device == "cpu" else None
    if bound is None:
        return ""
    return f"at most {bound}" if name.startswith("labels") else f"at least {bound}"
