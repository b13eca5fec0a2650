"""Records as arrays, variant by variant, in the same order of structures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.session.record import NOTICE
from voxtrail.study.experiment import Experiment
from voxtrail.study.experiments import every_experiment

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Results:
    """The records of a study.

    Parameters
    ----------
    frame
        All rows, as `voxtrail.study.record.Records.frame` returns them.
    study
        What the study's folder says of itself.
    """

    frame: pd.DataFrame
    study: dict[str, Any]

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have records."""
        there = set(self.frame.experiment)
        return [item for name, item in every_experiment().items() if name in there]

    def rows(self, experiment: str, variant: str) -> pd.DataFrame:
        """Return the finished rows of one variant by case and structure.

        Where every slice was outlined, nothing is to be found off the outlines, and no measure
        of it has a value.
        """
        frame = self.frame
        chosen = (
            (frame.experiment == experiment) & (frame.variant == variant) & (frame.status == "done")
        )
        rows = frame[chosen].set_index(["case", "structure"]).sort_index()
        off = [name for name in rows if name.startswith("unprompted_")]
        rows[off] = rows[off].mask(rows.unprompted_truth_volume_ml == 0)
        return rows

    def values(
        self, experiment: str, variant: str, column: str, bone_type: str | None = None
    ) -> FloatArray:
        """Return a column of one variant, (n,) float64, NaN where a row has no value."""
        rows = self.rows(experiment, variant)
        if bone_type is not None:
            rows = rows[rows.bone_type == bone_type]
        return np.asarray(rows[column].to_numpy(dtype=np.float64, na_value=np.nan))

    def pair(
        self,
        experiment: str,
        variant: str,
        reference: str,
        column: str,
        bone_type: str | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Return a column of two variants on the structures that both have, in one order."""
        one, other = self.rows(experiment, variant), self.rows(experiment, reference)
        if bone_type is not None:
            one, other = one[one.bone_type == bone_type], other[other.bone_type == bone_type]
        both = one.index.intersection(other.index)
        first, second = (
            np.asarray(rows.loc[both, column].to_numpy(dtype=np.float64, na_value=np.nan))
            for rows in (one, other)
        )
        return first, second

    def not_done(self, experiment: str, variant: str) -> dict[str, int]:
        """Return how many rows of a variant are not done, by status."""
        frame = self.frame
        chosen = frame[(frame.experiment == experiment) & (frame.variant == variant)]
        counts = chosen.status.value_counts()
        return {str(status): int(count) for status, count in counts.items() if status != "done"}

    def bone_types(self) -> Sequence[str]:
        """Return the bone types that occur, in the paper's order."""
        from voxtrail.datasets.bones import BONE_TYPES

        there = set(self.frame.bone_type.dropna())
        return [bone.name for bone in BONE_TYPES if bone.name in there]

    def warning(self) -> str:
        """Return what must stand over every number: whose they are, and what for."""
        study = self.study["study"]
        name, sha256 = study["model"], study["weights_sha256"][:16]
        whose = f"Checkpoint {name}, weights {sha256}, input {study['input_size']} pixels"
        if name == "micro":
            return (
                f"{whose}: bundled with voxtrail and trained on procedural shapes. It is NOT "
                f"SAM 2; its scores say nothing about SAM 2's. {NOTICE}"
            )
        return f"{whose}. {NOTICE}"
