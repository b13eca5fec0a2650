"""Score the bundled checkpoint and write the table into its model card: ``make micro-report``.

Through voxtrail's public doors only: `simulate`, `segment`, `evaluate`. The real pelvis is found
through ``VOXTRAIL_CT``; without it only the phantom is scored.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import voxtrail
from training.export import BUNDLED
from voxtrail.baselines.signed_distance import SignedDistance
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom import make_subject
from voxtrail.evaluate import evaluate, simulate
from voxtrail.model.base import LoadedModel
from voxtrail.model.weights import load_model

PRESETS = ("baseline", "sps", "is", "is+sps")
INTERPOLATION = "interpolation"
METHODS = (INTERPOLATION, *PRESETS)
CHOICES = ("first-middle-last", "uniform:5")

LEAST_SLICES = 7
"""Structures on fewer axial slices are left out, as the paper does."""

PHANTOM_SEED = 7
PHANTOM_REGIONS = ("pelvis", "thorax", "head", "shoulder")

BONES = {
    "vertebrae": "vertebrae",
    "rib": "ribs",
    "femur": "femur",
    "humerus": "humerus",
    "clavicula": "clavicle",
    "scapula": "scapula",
    "hip": "hip",
    "sacrum": "sacrum",
    "sternum": "sternum",
    "skull": "skull",
}
"""TotalSegmentator class name up to its first underscore -> bone type."""

SECTIONS = ("pelvis", "phantom")
"""Parts of the card's scores; each lies between two markers and is written by itself."""


@dataclass(frozen=True)
class Case:
    """A scan with the structures to be scored."""

    name: str
    volume: Volume
    truth: LabelMap


def pelvis(folder: Path) -> Case:
    """Return the real pelvis, ``totalseg_mini/s0000``, with every structure that is long enough."""
    place = folder / "totalseg_mini/s0000"
    volume = voxtrail.read(place / "ct.nii.gz")
    masks = {
        path.name.removesuffix(".nii.gz"): voxtrail.read_labels(path).voxels > 0
        for path in sorted((place / "segmentations").glob("*.nii.gz"))
    }
    bones = {name: mask for name, mask in masks.items() if name.split("_")[0] in BONES}
    return Case("pelvis", volume, _labels(volume, bones))


def phantoms(per_type: int) -> Iterator[Case]:
    """Yield phantom subjects that show every bone type between them.

    Of each type a subject gives at most ``per_type`` structures, evenly spaced over their names.
    """
    for index, region in enumerate(PHANTOM_REGIONS):
        subject = make_subject(PHANTOM_SEED, index, region)
        volume = Volume.from_stored(subject.hu, subject.affine)
        by_type: dict[str, list[str]] = defaultdict(list)
        for name, mask in sorted(subject.masks.items()):
            if name.split("_")[0] in BONES and mask.any((0, 1)).sum() >= LEAST_SLICES:
                by_type[name.split("_")[0]].append(name)
        chosen = [
            names[i]
            for names in by_type.values()
            for i in sorted({round(x) for x in np.linspace(0, len(names) - 1, per_type + 2)[1:-1]})
        ]
        yield Case(region, volume, _labels(volume, {name: subject.masks[name] for name in chosen}))


def _labels(volume: Volume, masks: dict[str, NDArray[np.bool_]]) -> LabelMap:
    voxels = np.zeros(volume.grid.shape, dtype=np.uint8)
    names: dict[int, str] = {}
    for name, mask in masks.items():
        if mask.any((0, 1)).sum() >= LEAST_SLICES:
            label = len(names) + 1
            voxels[mask] = label
            names[label] = name
    return LabelMap(voxels, volume.stored, names)


def dice_of(case: Case, method: str, slices: str, model: LoadedModel) -> dict[str, float]:
    """Return the Dice of each structure over its un-prompted slices."""
    prompts = simulate(case.truth, slices)
    if method == INTERPOLATION:
        found = _interpolated(case, prompts)
    else:
        config = voxtrail.Config(model=model.name, preset=method)
        found = voxtrail.segment(case.volume, prompts, config, model=model).labels
    table = evaluate(found, case.truth, prompts).unprompted
    if table is None:
        raise RuntimeError("evaluate was given prompts and returned no un-prompted scores")
    return {table.names[label]: scores.dice for label, scores in table.scores.items()}


def _interpolated(case: Case, prompts: Prompts) -> LabelMap:
    voxels = np.zeros(case.volume.grid.shape, dtype=np.uint8)
    for label in case.truth.labels():
        drawn = [p for p in prompts.of(label) if isinstance(p, MaskPrompt)]
        mask = SignedDistance().interpolate(
            drawn, case.volume.grid.shape, case.volume.grid.spacing_mm
        )
        voxels[mask] = label
    return LabelMap(voxels, case.truth.stored, case.truth.names)


Row = tuple[str, dict[str, float]]


def real_tables(case: Case, model: LoadedModel) -> str:
    """Return the tables of the real pelvis: means by prompts, and structures."""
    means: list[Row] = []
    structures: dict[str, dict[str, float]] = {}
    for slices in CHOICES:
        by_method = {method: dice_of(case, method, slices, model) for method in METHODS}
        means.append(
            (slices, {method: _mean(scores.values()) for method, scores in by_method.items()})
        )
        if slices == CHOICES[0]:
            structures = {
                name: {method: by_method[method][name] for method in METHODS}
                for name in by_method[INTERPOLATION]
            }
    return "\n\n".join(
        (
            "Real pelvis (`totalseg_mini/s0000`), mean Dice over structures, un-prompted slices:",
            _table("prompts", means),
            f"By structure, {CHOICES[0]}:",
            _table("structure", list(structures.items())),
        )
    )


def phantom_table(model: LoadedModel, per_type: int) -> str:
    """Return the table of phantom bone types, first-middle-last."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case in phantoms(per_type):
        for method in METHODS:
            for name, dice in dice_of(case, method, CHOICES[0], model).items():
                found[BONES[name.split("_")[0]]][method].append(dice)
    rows = [
        (f"{bone} ({len(by_method[INTERPOLATION])})", {m: _mean(by_method[m]) for m in METHODS})
        for bone, by_method in sorted(found.items())
    ]
    rows.append(("mean of types", {m: _mean([row[m] for _, row in rows]) for m in METHODS}))
    title = f"Phantom, seed {PHANTOM_SEED}, mean Dice by bone type (structures), {CHOICES[0]}:"
    return f"{title}\n\n{_table('bone', rows)}"


def _mean(values: object) -> float:
    return float(np.mean(list(values)))  # type: ignore[call-overload]


def _table(first: str, rows: list[Row]) -> str:
    lines = [f"| {first} | {' | '.join(METHODS)} |", "|---|" + "---|" * len(METHODS)]
    lines += [
        f"| {name} | {' | '.join(f'{row[method]:.3f}' for method in METHODS)} |"
        for name, row in rows
    ]
    return "\n".join(lines)


def write_card(card: Path, section: str, text: str) -> None:
    """Put ``text`` between the markers of one section of the model card."""
    start, end = f"<!-- {section}: written by make micro-report -->", f"<!-- end of {section} -->"
    before, _, rest = card.read_text().partition(start)
    _, marker, after = rest.partition(end)
    if not marker:
        raise ValueError(f"{card} lacks the markers {start!r} and {end!r}")
    part = card.with_suffix(".part")
    part.write_text(f"{before}{start}\n{text}\n{end}{after}")
    part.replace(card)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="micro")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--only", choices=SECTIONS, help="score one part only")
    parser.add_argument("--per-type", type=int, default=2, help="structures a type and phantom")
    parser.add_argument("--no-card", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    model = load_model(options.model, resolution=options.resolution)
    place = os.environ.get("VOXTRAIL_CT")
    for section in (options.only,) if options.only else SECTIONS:
        started = time.monotonic()
        if section == "phantom":
            tables = phantom_table(model, options.per_type)
        elif place:
            tables = real_tables(pelvis(Path(place)), model)
        else:
            print("the real pelvis is left out: set VOXTRAIL_CT to the folder of totalseg_mini")
            continue
        size, minutes = model.model.input_size, (time.monotonic() - started) / 60
        made = (
            f"Weights sha256 {model.sha256[:16]}, slices of {size} pixels, {minutes:.0f} minutes."
        )
        text = f"{tables}\n\n{made}"
        print(text, flush=True)
        if not options.no_card:
            write_card(BUNDLED / "README.md", section, text)


if __name__ == "__main__":
    main()
