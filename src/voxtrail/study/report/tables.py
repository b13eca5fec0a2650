"""The tables: one an experiment, and what of the paper's findings holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.record import NO_STRUCTURE
from voxtrail.study.report.bones import bones
from voxtrail.study.report.results import Results
from voxtrail.study.report.statistics import Comparison, compare, estimate, holm
from voxtrail.study.report.table import Table, interval, p_text, spread
from voxtrail.study.tasks.outlines import score_columns

#: Measures that readers see: column, head, digits. The tidy form has all of them.
SHOWN = (
    ("dice", "Dice", 3),
    ("iou", "IoU", 3),
    ("hausdorff_mm", "HD mm", 1),
    ("hausdorff95_mm", "HD95 mm", 1),
    ("assd_mm", "ASSD mm", 2),
    ("surface_dice_2mm", "surface Dice 2 mm", 3),
    ("unprompted_dice", "Dice off outlines", 3),
)
#: What variants are tested on: the paper's measure, and the one that outlines cannot raise.
TESTED = ("dice", "unprompted_dice")
COMPONENTS = (
    ("image_encoder_s", "image encoding s"),
    ("memory_attention_s", "memory attention s"),
    ("memory_encoder_s", "memory encoder s"),
    ("mask_decoder_s", "mask decoder s"),
    ("total_s", "total s"),
    ("peak_mib", "peak MiB"),
)


def tables(results: Results) -> list[Table]:
    """Return the tables of every experiment that has records: one, and those that it asks for."""
    makers = {
        "scores": _scores,
        "scores by bone": _by_bone,
        "seconds": _seconds,
        "values": _values,
    }
    made = []
    for item in results.experiments():
        made.append(makers[item.shows](item, results))
        if item.by_bone:
            made.append(bones(item, results))
        if item.timed:
            made.append(_seconds(item, results, f"{item.name}-seconds"))
    return made


def _scores(experiment: Experiment, results: Results) -> Table:
    variants = experiment.variants
    compared = {column: _compared(experiment, variants, results, column) for column in TESTED}
    rows, tidy = [], []
    for variant in variants:
        estimates = {
            column: estimate(results.values(experiment.name, variant.name, column))
            for column in score_columns()
        }
        cells = [variant.name, _count(experiment, variant, results)]
        cells += [
            interval(estimates[column], digits)
            if column in TESTED
            else spread(estimates[column], digits)
            for column, _, digits in SHOWN
        ]
        for column in TESTED:
            comparison, corrected = compared[column][variant.name]
            cells.append("-" if comparison is None else interval(
                comparison.difference, 3, signed=True))  # fmt: skip
            cells.append(p_text(corrected))
        cells.append(_paper(variant))
        rows.append(tuple(cells))
        for column, found in estimates.items():
            comparison, corrected = compared.get(column, {}).get(variant.name, (None, None))
            tidy.append(
                {
                    "experiment": experiment.name,
                    "variant": variant.name,
                    "measure": column,
                    **vars(found),
                    "against": _reference(experiment, variant),
                    "difference": comparison and comparison.difference.mean,
                    "difference_low": comparison and comparison.difference.low,
                    "difference_high": comparison and comparison.difference.high,
                    "difference_least": comparison and comparison.least,
                    "p": comparison and comparison.p,
                    "p_holm": corrected,
                    **_paper_numbers(variant, column),
                }
            )
    heads = ("variant", "n", *(head for _, head, _ in SHOWN), "Δ Dice", "p", "Δ off outlines", "p",
             "paper: Dice, IoU, HD")  # fmt: skip
    return Table(
        experiment.name,
        f"{experiment.name} ({experiment.place})",
        (results.warning(), *_notes(experiment, results)),
        heads,
        tuple(rows),
        tuple(tidy),
    )


def _by_bone(experiment: Experiment, results: Results) -> Table:
    variants = experiment.variants
    rows, tidy, tests = [], [], []
    for bone in results.bone_types():
        cells = [bone, str(len(results.values(experiment.name, variants[0].name, "dice", bone)))]
        for variant in variants:
            values = results.values(experiment.name, variant.name, "dice", bone)
            cells.append(spread(estimate(values), 3))
            for column in score_columns():
                found = estimate(results.values(experiment.name, variant.name, column, bone))
                tidy.append(
                    {"bone_type": bone, "variant": variant.name, "measure": column, **vars(found)}
                )
        baseline = experiment.baseline or ""
        best = compare(*results.pair(experiment.name, "IS + SPS", baseline, "dice", bone))
        tests.append(best.p)
        rows.append([*cells, interval(best.difference, 3, signed=True)])
    finished = [(*cells, p_text(p)) for cells, p in zip(rows, holm(tests), strict=True)]
    return Table(
        experiment.name,
        f"{experiment.name} ({experiment.place}): Dice over all slices",
        (results.warning(), *_notes(experiment, results)),
        ("bone", "n", *(item.name for item in variants), "IS + SPS - baseline", "p"),
        tuple(finished),
        tuple(tidy),
    )


def _seconds(experiment: Experiment, results: Results, name: str | None = None) -> Table:
    rows, tidy = [], []
    for variant in experiment.variants:
        cells = [variant.name, _count(experiment, variant, results)]
        columns = {
            column: results.values(experiment.name, variant.name, column)
            for column, _ in COMPONENTS
        }
        columns["tracking_ms_a_slice"] = tracking_ms(results, experiment.name, variant.name)
        for column, values in columns.items():
            found = estimate(values)
            digits = 0 if column == "peak_mib" else 2
            cells.append(spread(found, digits))
            tidy.append({"variant": variant.name, "measure": column, **vars(found)})
        rows.append(tuple(cells))
    return Table(
        name or experiment.name,
        f"{experiment.name} ({experiment.place}): seconds a structure",
        (results.warning(), *_notes(experiment, results)),
        ("variant", "n", *(head for _, head in COMPONENTS), "tracking ms a slice"),
        tuple(rows),
        tuple(tidy),
    )


def tracking_ms(results: Results, experiment: str, variant: str) -> np.ndarray[Any, Any]:
    """Return milliseconds a tracked slice, without encoding, of each structure of a variant."""
    rows = results.rows(experiment, variant)
    spent = rows.memory_attention_s + rows.memory_encoder_s + rows.mask_decoder_s
    found = 1000 * spent / rows.tracked_slices.where(rows.tracked_slices > 0)
    return np.asarray(found.to_numpy(dtype=np.float64, na_value=np.nan))


def _values(experiment: Experiment, results: Results) -> Table:
    rows, tidy = [], []
    bones = results.bone_types()
    without_target = all(variant.task.without_target for variant in experiment.variants)
    for variant in experiment.variants:
        found = estimate(results.values(experiment.name, variant.name, "value"))
        units = results.rows(experiment.name, variant.name).unit
        unit = str(units.iloc[0]) if len(units) else ""
        cells = [variant.name, str(found.n), interval(found, 3), unit]
        tidy.append(
            {"variant": variant.name, "bone_type": NO_STRUCTURE, **vars(found), "unit": unit}
        )
        for bone in () if without_target else bones:
            of_bone = estimate(results.values(experiment.name, variant.name, "value", bone))
            cells.append(spread(of_bone, 3))
            tidy.append({"variant": variant.name, "bone_type": bone, **vars(of_bone), "unit": unit})
        rows.append(tuple(cells))
    return Table(
        experiment.name,
        f"{experiment.name} ({experiment.place})",
        (results.warning(), *_notes(experiment, results)),
        ("variant", "n", "mean", "of", *(() if without_target else bones)),
        tuple(rows),
        tuple(tidy),
    )


def _compared(
    experiment: Experiment, variants: tuple[Variant, ...], results: Results, column: str
) -> dict[str, tuple[Comparison | None, float | None]]:
    """Return each variant's comparison with its reference, and its corrected p-value."""
    found: list[Comparison | None] = []
    for variant in variants:
        reference = _reference(experiment, variant)
        if reference in (None, variant.name):
            found.append(None)
            continue
        pair = results.pair(experiment.name, variant.name, str(reference), column)
        found.append(compare(*pair) if len(pair[0]) else None)
    corrected = holm([item.p if item else None for item in found])
    return {
        variant.name: (item, p) for variant, item, p in zip(variants, found, corrected, strict=True)
    }


def _reference(experiment: Experiment, variant: Variant) -> str | None:
    return variant.against or experiment.baseline


def _count(experiment: Experiment, variant: Variant, results: Results) -> str:
    n = len(results.rows(experiment.name, variant.name))
    rest = results.not_done(experiment.name, variant.name)
    return ", ".join([str(n), *(f"{count} {status}" for status, count in rest.items())])


def _notes(experiment: Experiment, results: Results) -> list[str]:
    notes = [f"Hypothesis: {experiment.hypothesis}", f"The paper: {experiment.paper_says}"]
    if experiment.shows == "scores":
        notes.append(
            "Mean ± standard deviation, or mean [95 % bootstrap interval]. Δ: against "
            f"{experiment.baseline!r} or the row's own reference, on the same structures; p: "
            "Wilcoxon signed-rank, Holm-corrected within the table. Off outlines: slices that "
            "were not outlined. Structures without a distance (an empty mask) are counted in the "
            "CSV, not averaged"
        )
    missing = {
        variant.name: results.not_done(experiment.name, variant.name)
        for variant in experiment.variants
    }
    absent = [name for name, counts in missing.items() if counts.get("not-run")]
    if absent:
        notes.append(f"Not run, because weights or a package were not there: {', '.join(absent)}")
    return notes


def _paper(variant: Variant) -> str:
    paper = variant.paper
    if paper is None:
        return "-"
    return (
        f"{paper.dice:.3f} ± {paper.dice_sd:.3f}, {paper.iou:.3f} ± {paper.iou_sd:.3f}, "
        f"{paper.hausdorff:.2f} ± {paper.hausdorff_sd:.2f}"
    )


def _paper_numbers(variant: Variant, column: str) -> dict[str, float | None]:
    names = {"dice": "dice", "iou": "iou", "hausdorff_mm": "hausdorff"}
    name = names.get(column)
    if variant.paper is None or name is None:
        return {"paper_mean": None, "paper_sd": None}
    return {
        "paper_mean": getattr(variant.paper, name),
        "paper_sd": getattr(variant.paper, f"{name}_sd"),
    }
