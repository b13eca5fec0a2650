"""The paper's findings, held against the records: each holds, is the other way, or is open."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from voxtrail.study.experiment import Claim
from voxtrail.study.experiments import every_experiment
from voxtrail.study.report.results import Results
from voxtrail.study.report.statistics import Estimate, compare, estimate, holm
from voxtrail.study.report.table import Table, interval, p_text
from voxtrail.study.report.tables import tracking_ms

#: Interval and corrected test on the claimed side, the interval alone, neither, or the other side.
Verdict = Literal[
    "holds", "leans that way", "undecided", "leans the other way", "the other way", "not run"
]
#: Below it a corrected p-value counts as a difference.
SIGNIFICANT = 0.05


def findings(results: Results) -> Table:
    """Return what holds: over all slices, as the paper scores, and off the outlines."""
    claims = [
        (experiment.name, claim)
        for experiment in every_experiment().values()
        for claim in experiment.claims
    ]
    compared = [_compared(experiment, claim, results) for experiment, claim in claims]
    corrected = holm([p for *_, p in compared])
    rows: list[tuple[str, ...]] = []
    tidy = []
    not_run: dict[str, None] = {}
    for (experiment, claim), (whole, off, n, _), p in zip(claims, compared, corrected, strict=True):
        verdict = verdict_of(whole, p)
        if verdict == "not run":
            not_run[experiment] = None
        else:
            rows.append(
                (
                    claim.text, verdict, str(n), _shown(whole), p_text(p), _shown(off), experiment,
                )
            )  # fmt: skip
        tidy.append(
            {
                "claim": claim.text, "experiment": experiment,
                "better": claim.better, "worse": claim.worse,
                "bone_type": claim.bone_type, "verdict": verdict, "p_holm": p,
                **_numbers("dice", whole), **_numbers("unprompted_dice", off),
            }
        )  # fmt: skip
    for text, experiment, found, unit, verdict in _measured(results):
        if found is None:
            not_run[experiment] = None
        else:
            shown = f"{interval(found, 3)} {unit}"
            rows.append((text, verdict, str(found.n), shown, "-", "-", experiment))
        tidy.append(
            {
                "claim": text, "experiment": experiment, "better": None, "worse": None,
                "bone_type": None, "verdict": verdict, "p_holm": None,
                **_numbers("dice", None), **_numbers("unprompted_dice", None),
            }
        )  # fmt: skip
    return Table(
        "findings",
        "What the paper found, and what these records say",
        (
            results.warning(),
            "Δ: mean difference of Dice on the same structures [95 % bootstrap interval]; p: "
            "Wilcoxon, Holm-corrected over this table. A finding holds where the interval lies "
            f"above 0 and p is below {SIGNIFICANT}, leans that way with the interval alone, and "
            "is undecided where the interval holds 0; the other way likewise",
            *([f"Not run, in whole or in part: {', '.join(not_run)}"] if not_run else []),
        ),
        ("finding", "here", "n", "Δ Dice, or value", "p", "Δ Dice off outlines", "experiment"),
        tuple(rows),
        tuple(tidy),
    )


def verdict_of(difference: Estimate | None, p: float | None) -> Verdict:
    """Return what interval and corrected p-value say of a claimed difference above 0."""
    if difference is None or difference.mean is None:
        return "not run"
    if difference.low is None or difference.high is None:
        return "undecided"
    sure = p is not None and p < SIGNIFICANT
    if difference.low > 0:
        return "holds" if sure else "leans that way"
    if difference.high < 0:
        return "the other way" if sure else "leans the other way"
    return "undecided"


def _compared(
    experiment: str, claim: Claim, results: Results
) -> tuple[Estimate | None, Estimate | None, int, float | None]:
    pairs = [
        results.pair(experiment, claim.better, claim.worse, column, claim.bone_type)
        for column in ("dice", "unprompted_dice")
    ]
    n = len(pairs[0][0])
    if not n:
        return None, None, 0, None
    whole, off = (compare(*pair) for pair in pairs)
    return whole.difference, off.difference, n, whole.p


def _measured(
    results: Results,
) -> list[tuple[str, str, Estimate | None, str, Verdict]]:
    """Return the findings that are about seconds and embeddings."""
    encoding = results.values("timing", "6 memories", "image_encoder_s")
    total = results.values("timing", "6 memories", "total_s")
    share = estimate(encoding / total) if len(total) else None
    six = tracking_ms(results, "timing", "6 memories")
    two = tracking_ms(results, "timing", "intelligent slicing")
    slower = estimate(six - two) if len(six) and len(six) == len(two) else None
    return [
        (
            "encoding takes most of the time", "timing", share, "of the total",
            "not run" if share is None or share.mean is None
            else "holds" if share.mean > 0.5 else "the other way",
        ),
        (
            "six memories track slower than IS", "timing", slower, "ms a slice",
            verdict_of(slower, None),
        ),
        _embeddings(results),
    ]  # fmt: skip


def _embeddings(results: Results) -> tuple[str, str, Estimate | None, str, Verdict]:
    """Compare how alike the middle embeddings are with how alike the ends are."""
    matrix = similarity(results)
    claim = "the middle embeddings (e1 to e4) are more alike than e0 and e5"
    if np.isnan(matrix).all():
        return claim, "embeddings", None, "", "not run"
    middle = np.array([matrix[i, j] for i in range(1, 5) for j in range(i + 1, 5)])
    more = float(middle.mean() - matrix[0, 5])
    found = Estimate(len(middle), 0, more, None, None, None)
    return claim, "embeddings", found, "cosine", "holds" if more > 0 else "the other way"


def similarity(results: Results) -> np.ndarray[Any, Any]:
    """Return the cosine similarities of the temporal embeddings: (7, 7), NaN where unknown."""
    from voxtrail.study.experiments.embeddings import EMBEDDINGS

    matrix = np.full((EMBEDDINGS, EMBEDDINGS), np.nan)
    for i in range(EMBEDDINGS):
        for j in range(i + 1, EMBEDDINGS):
            values = results.values("embeddings", f"e{i} ~ e{j}", "value")
            if len(values):
                matrix[i, j] = matrix[j, i] = values[0]
    if not np.isnan(matrix).all():
        np.fill_diagonal(matrix, 1.0)
    return matrix


def _shown(found: Estimate | None) -> str:
    return "-" if found is None else interval(found, 3, signed=True)


def _numbers(name: str, found: Estimate | None) -> dict[str, float | None]:
    return {
        f"{name}_difference": found.mean if found else None,
        f"{name}_low": found.low if found else None,
        f"{name}_high": found.high if found else None,
    }
