"""Score the bundled checkpoint and write the tables into its card: ``make micro-report``.

Through voxtrail's public doors only: `simulate`, `segment`, `evaluate`. The paper's presets track
alone, without the shape prior, in crops that follow, as the default preset has them; the default
preset, which people run, hears outlines as shape besides. The real pelvis is found
through ``VOXTRAIL_CT``; without it the other parts are scored. What was scored is kept case by
case, so that a run that was stopped goes on; what the numbers have to be stands in
`training.targets`.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import voxtrail
from training.card import check_card, write_card
from training.export import BUNDLED
from training.scenes.organs import organ_set
from training.targets import BUDGETS, targets_table
from voxtrail.baselines.signed_distance import SignedDistance
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom import make_subject
from voxtrail.evaluate import evaluate, simulate
from voxtrail.io.atomic import replacing
from voxtrail.metrics.overlap import dice
from voxtrail.model.base import LoadedModel
from voxtrail.model.weights import load_model

PRIORS = {"baseline": "none", "is+sps": "none", "is+sps+shape": "shape"}
"""By preset."""
INTERPOLATION = "interpolation"
METHODS = (INTERPOLATION, *PRIORS)

LEAST_SLICES = 7
"""Structures on fewer axial slices are left out, as the paper does."""

FARTHEST = 5
"""Slices at this distance from the nearest outline and beyond are counted together."""

PHANTOM_SEED = 7
PHANTOM_REGIONS = ("pelvis", "thorax", "head", "shoulder")

SOFT_CONTRAST_HU = 40.0

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

SECTIONS = ("pelvis", "phantom", "soft")
"""Parts of the card's scores; each lies between two markers and is written by itself."""


@dataclass(frozen=True)
class Case:
    """A scan with the structures to be scored."""

    name: str
    volume: Volume
    truth: LabelMap
    window: str = "bone"


@dataclass
class Structure:
    """Scores of one structure with one method.

    Parameters
    ----------
    dice
        Over un-prompted slices.
    by_distance
        Mean Dice a slice, by distance to the nearest outline.
    """

    dice: float
    by_distance: dict[int, float] = field(default_factory=dict)


Scored = dict[str, dict[str, Structure]]
"""Method -> structure -> scores; `COPIED` among the methods has distances only."""

COPIED = "copied"


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


def organs(count: int) -> Iterator[Case]:
    """Yield scans with one soft structure each."""
    for number, (hu, mask, affine) in enumerate(organ_set(count, SOFT_CONTRAST_HU)):
        volume = Volume.from_stored(hu, affine)
        name = f"lump {number + 1}"
        yield Case(name, volume, _labels(volume, {name: mask}), window="soft")


def _labels(volume: Volume, masks: Mapping[str, NDArray[np.bool_]]) -> LabelMap:
    voxels = np.zeros(volume.grid.shape, dtype=np.uint8)
    names: dict[int, str] = {}
    for name, mask in masks.items():
        if mask.any((0, 1)).sum() >= LEAST_SLICES:
            label = len(names) + 1
            voxels[mask] = label
            names[label] = name
    return LabelMap(voxels, volume.stored, names)


def score(case: Case, slices: str, model: LoadedModel) -> Scored:
    """Return the scores of every method with outlines chosen by ``slices``."""
    prompts = simulate(case.truth, slices)
    found: Scored = {COPIED: {}}
    for method in METHODS:
        if method == INTERPOLATION:
            labels = _interpolated(case, prompts)
        else:
            config = voxtrail.Config(
                model=model.name,
                preset=method,
                crop="follow",
                prior=PRIORS[method],
                quality=False,
                window=case.window,
            )
            labels = voxtrail.segment(case.volume, prompts, config, model=model).labels
        found[method] = _scored(labels, case, prompts)
    for label in case.truth.labels():
        found[COPIED][case.truth.name(label)] = Structure(
            float("nan"), by_distance(None, case, prompts, label)
        )
    return found


def _scored(labels: LabelMap, case: Case, prompts: Prompts) -> dict[str, Structure]:
    table = evaluate(labels, case.truth, prompts).unprompted
    if table is None:
        raise RuntimeError("evaluate was given prompts and returned no un-prompted scores")
    return {
        table.names[label]: Structure(scores.dice, by_distance(labels, case, prompts, label))
        for label, scores in table.scores.items()
    }


def by_distance(
    labels: LabelMap | None, case: Case, prompts: Prompts, label: int
) -> dict[int, float]:
    """Return the mean Dice a slice by distance; of the nearest outline itself without labels."""
    truth = Axis.AXIAL.to_stack(case.truth.mask(label))
    tracked = None if labels is None else Axis.AXIAL.to_stack(labels.mask(label))
    drawn = {p.slice_index: p.mask for p in prompts.masks(label)}
    scores: dict[int, list[float]] = defaultdict(list)
    for index in np.flatnonzero(truth.any((1, 2))):
        nearest = min(drawn, key=lambda at: abs(at - int(index)))
        if nearest == index:
            continue
        found = drawn[nearest] if tracked is None else tracked[index]
        scores[min(abs(nearest - int(index)), FARTHEST)].append(dice(found, truth[index]))
    return {distance: float(np.mean(values)) for distance, values in sorted(scores.items())}


def _interpolated(case: Case, prompts: Prompts) -> LabelMap:
    voxels = np.zeros(case.volume.grid.shape, dtype=np.uint8)
    for label in case.truth.labels():
        drawn = [p for p in prompts.of(label) if isinstance(p, MaskPrompt)]
        mask = SignedDistance().interpolate(
            drawn, case.volume.grid.shape, case.volume.grid.spacing_mm
        )
        voxels[mask] = label
    return LabelMap(voxels, case.truth.stored, case.truth.names)


class Kept:
    """Scores of cases, kept in a file as they come, so that a stopped report goes on.

    Parameters
    ----------
    path
        JSON; made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[str, Scored] = {}
        if path.exists():
            self._held = {
                key: {
                    method: {
                        name: Structure(
                            one["dice"], {int(d): v for d, v in one["by_distance"].items()}
                        )
                        for name, one in structures.items()
                    }
                    for method, structures in scored.items()
                }
                for key, scored in json.loads(path.read_text()).items()
            }

    def score(self, case: Case, slices: str, model: LoadedModel) -> Scored:
        """Return what `score` gives, from the file where it is there."""
        structures = "+".join(case.truth.name(label) for label in case.truth.labels())
        size = model.model.input_size
        key = f"{model.sha256[:16]}/{size}/{case.name}/{slices}/{structures}/{'+'.join(METHODS)}"
        if key not in self._held:
            self._held[key] = score(case, slices, model)
            plain = {
                k: {m: {n: vars(one) for n, one in s.items()} for m, s in scored.items()}
                for k, scored in self._held.items()
            }
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path, force=True) as part:
                part.write_text(json.dumps(plain))
        return self._held[key]


Numbers = dict[str, float]


def pelvis_tables(case: Case, model: LoadedModel, kept: Kept) -> tuple[str, Numbers]:
    """Return the tables of the real pelvis, and their numbers by name."""
    scored = {slices: kept.score(case, slices, model) for slices in BUDGETS}
    numbers: Numbers = {}
    parts = ["Real pelvis (`totalseg_mini/s0000`), mean Dice over structures, un-prompted slices:"]
    rows = []
    for slices, by_method in scored.items():
        means = {m: _mean(one.dice for one in by_method[m].values()) for m in METHODS}
        numbers |= {f"pelvis/{slices}/{method}": value for method, value in means.items()}
        rows.append((slices, means))
    parts += [_table("prompts", METHODS, rows)]
    parts.append("Mean Dice a slice by distance to the nearest outline:")
    shown = (COPIED, *PRIORS)
    rows = []
    for slices, by_method in scored.items():
        for distance in range(1, FARTHEST + 1):
            means = {m: _at(by_method[m], distance) for m in shown}
            if all(np.isnan(value) for value in means.values()):
                continue
            numbers |= {f"pelvis/{slices}/distance {distance}/{m}": v for m, v in means.items()}
            rows.append((f"{slices}, {distance}", means))
    parts.append(_table("prompts, distance", shown, rows))
    parts.append("By structure, first-middle-last:")
    first = scored["first-middle-last"]
    rows = [(name, {m: first[m][name].dice for m in METHODS}) for name in first[INTERPOLATION]]
    parts.append(_table("structure", METHODS, rows))
    return "\n\n".join(parts), numbers


def _at(structures: Mapping[str, Structure], distance: int) -> float:
    return _mean(
        one.by_distance[distance] for one in structures.values() if distance in one.by_distance
    )


def phantom_tables(model: LoadedModel, per_type: int, kept: Kept) -> tuple[str, Numbers]:
    """Return the table of phantom bone types, first-middle-last, and its numbers."""
    slices = "first-middle-last"
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case in phantoms(per_type):
        scored = kept.score(case, slices, model)
        for method in METHODS:
            for name, one in scored[method].items():
                found[BONES[name.split("_")[0]]][method].append(one.dice)
    rows = [
        (f"{bone} ({len(by_method[INTERPOLATION])})", {m: _mean(by_method[m]) for m in METHODS})
        for bone, by_method in sorted(found.items())
    ]
    means = {m: _mean(row[m] for _, row in rows) for m in METHODS}
    numbers = {f"phantom/mean/{m}": value for m, value in means.items()}
    numbers |= {f"phantom/least/{m}": min(row[m] for _, row in rows) for m in METHODS}
    title = f"Phantom, seed {PHANTOM_SEED}, mean Dice by bone type (structures), {slices}:"
    return f"{title}\n\n{_table('bone', METHODS, [*rows, ('mean of types', means)])}", numbers


def soft_tables(model: LoadedModel, count: int, kept: Kept) -> tuple[str, Numbers]:
    """Return the table of soft structures, first-middle-last, and its numbers."""
    slices = "first-middle-last"
    rows = []
    for case in organs(count):
        scored = kept.score(case, slices, model)
        rows.append((case.name, {m: scored[m][case.name].dice for m in METHODS}))
    means = {m: _mean(row[m] for _, row in rows) for m in METHODS}
    title = (
        f"Procedural soft structures, {SOFT_CONTRAST_HU:.0f} HU of contrast, window soft, {slices}:"
    )
    table = _table("structure", METHODS, [*rows, ("mean", means)])
    return f"{title}\n\n{table}", {f"soft/{m}": value for m, value in means.items()}


def _mean(values: object) -> float:
    listed = list(values)  # type: ignore[call-overload]
    return float(np.mean(listed)) if listed else float("nan")


def _table(first: str, columns: Sequence[str], rows: list[tuple[str, dict[str, float]]]) -> str:
    lines = [f"| {first} | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    lines += [
        f"| {name} | {' | '.join(f'{row[column]:.3f}' for column in columns)} |"
        for name, row in rows
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="micro")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--only", choices=SECTIONS, nargs="+", default=list(SECTIONS))
    parser.add_argument("--per-type", type=int, default=2, help="structures a type and phantom")
    parser.add_argument("--organs", type=int, default=12, help="soft structures")
    parser.add_argument("--kept", type=Path, default=Path("runs/micro-report.json"))
    parser.add_argument("--no-card", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    model = load_model(options.model, resolution=options.resolution)
    card = BUNDLED / "README.md"
    if not options.no_card:
        check_card(card, (*options.only, "targets"))
    kept = Kept(options.kept)
    place = os.environ.get("VOXTRAIL_CT")
    numbers: Numbers = {}
    made = f"Weights sha256 {model.sha256[:16]}, slices of {model.model.input_size} pixels."
    texts: dict[str, str] = {}
    for section in options.only:
        if section == "phantom":
            tables, found = phantom_tables(model, options.per_type, kept)
        elif section == "soft":
            tables, found = soft_tables(model, options.organs, kept)
        elif place:
            tables, found = pelvis_tables(pelvis(Path(place)), model, kept)
        else:
            print("the real pelvis is left out: set VOXTRAIL_CT to the folder of totalseg_mini")
            continue
        numbers |= found
        texts[section] = f"{tables}\n\n{made}"
    texts["targets"] = f"{targets_table(numbers)}\n\n{made}"
    for section, text in texts.items():
        print(text, end="\n\n", flush=True)
        if not options.no_card:
            write_card(card, section, text)


if __name__ == "__main__":
    main()
