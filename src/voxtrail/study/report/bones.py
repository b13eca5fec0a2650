"""Each bone type's means, beside an experiment's own table."""

from __future__ import annotations

from voxtrail.study.experiment import Experiment
from voxtrail.study.report.results import Results
from voxtrail.study.report.statistics import estimate
from voxtrail.study.report.table import Table, spread

#: What is shown: outlines cannot raise it.
COLUMN = "unprompted_dice"


def bones(experiment: Experiment, results: Results) -> Table:
    """Return Dice off outlines, a row a variant and a column a bone type."""
    types = results.bone_types()
    counts = {
        bone: max(
            len(results.values(experiment.name, variant.name, COLUMN, bone))
            for variant in experiment.variants
        )
        for bone in types
    }
    rows, tidy = [], []
    for variant in experiment.variants:
        cells = [variant.name]
        for bone in types:
            found = estimate(results.values(experiment.name, variant.name, COLUMN, bone))
            cells.append(spread(found, 3))
            tidy.append(
                {"bone_type": bone, "variant": variant.name, "measure": COLUMN, **vars(found)}
            )
        rows.append(tuple(cells))
    return Table(
        f"{experiment.name}-bones",
        f"{experiment.name}, bone by bone: Dice off outlines",
        (results.warning(), "Mean ± standard deviation over the structures of a type"),
        ("variant", *(f"{bone} ({count})" for bone, count in counts.items())),
        tuple(rows),
        tuple(tidy),
    )
