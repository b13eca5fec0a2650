"""Writes the parts of the model card that are measured or recorded, each between two markers.

`training.export` writes how the run went, `training.report` the scores. What no program knows is
in ``training/card.md``, from which a new checkpoint's card begins.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from training.architecture import micro_config
from training.optimiser import MUON_RATE
from training.recipe import Stage
from training.state import History, Sitting, averaged, recipe_of
from voxtrail.errors import InputError

TEMPLATE = Path(__file__).parent / "card.md"

RUN_SECTION = "run"


def markers(section: str) -> tuple[str, str]:
    """Return what a section of the card begins and ends with."""
    return f"<!-- {section}: written by a program -->", f"<!-- end of {section} -->"


def check_card(card: Path, sections: tuple[str, ...]) -> None:
    """Refuse a card that lacks a section, before hours are spent on what goes into it.

    Raises
    ------
    InputError
        Naming the section.
    """
    text = card.read_text()
    for section in sections:
        if not all(marker in text for marker in markers(section)):
            raise InputError(
                "the model card lacks a section",
                received=str(card),
                accepted=" ... ".join(markers(section)),
                remedy=f"copy the section's two markers from {TEMPLATE.name}",
            )


def write_card(card: Path, section: str, text: str) -> None:
    """Put ``text`` between the markers of one section of the model card."""
    check_card(card, (section,))
    start, end = markers(section)
    before, _, rest = card.read_text().partition(start)
    _, _, after = rest.partition(end)
    part = card.with_suffix(".part")
    part.write_text(f"{before}{start}\n{text}\n{end}{after}")
    part.replace(card)


def run_text(state: dict[str, Any], curve: str) -> str:
    """Return what a state records of its run: sizes, steps, sittings, validation, as Markdown.

    Parameters
    ----------
    state
        As `training.state.load` returns it.
    curve
        Address of the picture of the run, beside the card.
    """
    recipe = recipe_of(state)
    history = History.from_json(state["history"])
    size = recipe.at(max(len(history.losses) - 1, 0))[0].size
    model = averaged(state)
    count = sum(weight.numel() for weight in model.parameters())
    widths = "-".join(str(recipe.architecture.width * 2**stage) for stage in range(4))
    blocks = "-".join(str(number) for number in recipe.architecture.blocks)
    tokens = micro_config(recipe.architecture, size).memory_attention_rope_feat_sizes[0]
    rows = [
        (
            "architecture",
            f"`Sam2VideoModel` of transformers: Hiera widths {widths}, blocks {blocks}; "
            f"{recipe.architecture.channels} channels; {recipe.architecture.memory_layers} "
            f"memory-attention layers; {count / 1e6:.1f} M parameters",
        ),
        ("memory", f"{tokens} x {tokens} tokens of 64 numbers at {size} pixels"),
        ("seed", str(recipe.seed)),
        ("steps", f"{len(history.losses):,}, all recorded from the first"),
        ("stages", "; ".join(_stage(stage) for stage in recipe.stages)),
        (
            "optimiser",
            f"Muon for matrices at {MUON_RATE:g} times the learning rate, AdamW for the rest; "
            f"weight decay {recipe.weight_decay:g}; average of the weights with decay "
            f"{recipe.ema:g}",
        ),
        ("hours", f"{history.seconds / 3600:.1f} in {len(history.sittings)} sittings"),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    lines += ["Sittings, from one kill to the next:", "", *_sittings(history.sittings), ""]
    lines += [f"![loss and validation by step]({curve})", "", *_validations(history)]
    return "\n".join(lines)


def _stage(stage: Stage) -> str:
    return (
        f"{stage.steps} of {stage.kind} at {stage.size} pixels, batches of {stage.stacks}, "
        f"learning rate {stage.lr:g} to {stage.lr_end:g}"
    )


def _sittings(sittings: list[Sitting]) -> list[str]:
    """Return the sittings as a table; like ones that follow each other are one row."""
    heads = ("steps", "hours", "command", "commit", "hardware", "versions")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    changed = 0
    previous = ""

    def alike(one: Sitting) -> tuple[str, ...]:
        return one.command, one.commit, one.hardware, one.versions, one.recipe

    for _, group in groupby(sittings, alike):
        held = list(group)
        hours = sum(one.seconds for one in held) / 3600
        one = held[0]
        lines.append(
            f"| {one.first:,} to {held[-1].last:,} | {hours:.1f} | `{one.command}` | {one.commit} "
            f"| {one.hardware} | {one.versions} |"
        )
        changed += bool(previous) and previous != one.recipe
        previous = one.recipe
    if changed:
        lines += ["", f"The recipe changed {changed} times on resuming; the stages are its last."]
    return lines


def _validations(history: History) -> list[str]:
    if not history.validations:
        return ["No validation was recorded."]
    names = [name for name in history.validations[-1] if name != "step"]
    lines = [f"| step | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for entry in history.validations:
        cells = (f"{entry[k]:.0f}" if k == "size" else f"{entry[k]:.3f}" for k in names)
        lines.append(f"| {entry['step']:,.0f} | {' | '.join(cells)} |")
    return lines
