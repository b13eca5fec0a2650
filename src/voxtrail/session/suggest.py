"""Which slice to outline next, and why: `Session.suggest` and ``voxtrail suggest``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import Prompts
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.session.run import LabelResult
from voxtrail.session.suggestions import Known, SuggestionRule
from voxtrail.session.suggestions.base import FloatArray


@dataclass(frozen=True)
class Suggestion:
    """A slice that an outline would help on.

    Parameters
    ----------
    label, name
        Of which structure.
    axis, slice_index
        Where (RAS+ number).
    reason
        Why, for a person.
    score
        What it is worth to the rule that was asked; the greater, the more.
    """

    label: int
    name: str
    axis: Axis
    slice_index: int
    reason: str
    score: float

    def to_json(self, stored: Grid) -> dict[str, Any]:
        """Return plain values; the slice is numbered as the scan's file stores it."""
        return {
            "label": self.label,
            "name": self.name,
            "axis": self.axis.label,
            "slice": SliceFrame.of(stored, self.axis).slice_number(self.slice_index),
            "reason": self.reason,
            "score": round(self.score, 3),
        }


def suggest(
    results: Mapping[int, LabelResult], prompts: Prompts, rule: SuggestionRule, n: int
) -> list[Suggestion]:
    """Return the slices to outline next, the most helpful first; fewer where there are no more.

    Of a label with one outline on an axis nobody knows where it ends: there the slices are
    suggested on which its mask ends, since an outline bounds it even where it is empty. After that,
    each is what the rule scores highest of all labels and axes, as if those before it were drawn.
    """
    suggested: list[Suggestion] = []
    lines = {
        (label, axis): _Line.of(result, prompts, label, axis)
        for label, result in results.items()
        for axis in result.quality.confidence
        if prompts.of(label, axis)
    }
    for (label, axis), line in lines.items():
        for index in line.ends():
            suggested.append(line.suggestion(label, prompts.name(label), axis, index, rule))
    suggested.sort(key=lambda one: -one.score)
    for one in suggested:
        lines[one.label, one.axis].draw(one.slice_index)
    while len(suggested) < n:
        tops = {of: line.scores(rule) for of, line in lines.items()}
        best = max(tops, key=lambda of: float(tops[of].max()), default=None)
        if best is None or tops[best].max() <= 0:
            break
        label, axis = best
        index = lines[best].first + int(tops[best].argmax())
        line = lines[best]
        suggested.append(line.suggestion(label, prompts.name(label), axis, index, rule))
        line.draw(index)
    return suggested[:n]


@dataclass(eq=False)
class _Line:
    """A label's slices along one axis.

    Parameters
    ----------
    first
        RAS+ number of the first.
    known
        What is known of them, as if all suggested so far were outlined.
    voxels
        (slices,) how many were found.
    away_mm
        (slices,) how far each lies from the nearest slice that a person has outlined.
    """

    first: int
    known: Known
    voxels: FloatArray
    away_mm: FloatArray

    @classmethod
    def of(cls, result: LabelResult, prompts: Prompts, label: int, axis: Axis) -> _Line:
        """Gather what is known."""
        fused, quality = result.fused, result.quality
        spacing = prompts.stored.canonical().spacing_mm
        pixel_mm2 = spacing[axis.row_axis] * spacing[axis.column_axis]
        first = fused.box.start[axis.value]
        voxels = axis.to_stack(fused.logits > 0).sum(axis=(1, 2)).astype(np.float64)
        count = len(voxels)
        drawn = {
            mask.slice_index - first: float(mask.mask.sum())
            for mask in prompts.masks(label)
            if mask.axis is axis and 0 <= mask.slice_index - first < count
        }
        seems = voxels.copy()
        for (low, below), (high, above) in pairwise(sorted(drawn.items())):
            between = np.arange(low, high + 1)
            # What a lost tracker found nothing of is there all the same.
            blend = np.interp(between, [low, high], [below, above])
            seems[between] = np.maximum(seems[between], blend if below and above else 0.0)
        outlined = sorted({one.slice_index - first for one in prompts.of(label, axis)})
        iou = [quality.predicted_iou[axis].get(first + at, np.nan) for at in range(count)]
        known = Known(
            tuple(at for at in outlined if 0 <= at < count),
            seems * pixel_mm2,
            np.array([quality.confidence[axis][first + at] for at in range(count)]),
            np.array(iou, dtype=np.float64),
            spacing[axis.value],
        )
        return cls(first, known, voxels, known.distance_mm())

    def ends(self) -> list[int]:
        """Return where a mask that was carried from a single outline ends; none of several."""
        occupied = np.flatnonzero(self.voxels)
        if len(self.known.outlined) != 1 or not occupied.size:
            return []
        ends = {int(occupied[0]), int(occupied[-1])} - {*self.known.outlined}
        return sorted(self.first + at for at in ends)

    def scores(self, rule: SuggestionRule) -> FloatArray:
        """Return the rule's score of each slice, 0 where the structure is not expected."""
        return np.where(self.known.area_mm2 > 0, rule.scores(self.known), 0.0)

    def draw(self, slice_index: int) -> None:
        """Take a slice (RAS+ number) for outlined."""
        self.known = self.known.with_outline(slice_index - self.first)

    def suggestion(
        self, label: int, name: str, axis: Axis, slice_index: int, rule: SuggestionRule
    ) -> Suggestion:
        """Return a slice (RAS+ number) as a suggestion."""
        at = slice_index - self.first
        away_mm = float(self.away_mm[at])
        if slice_index in self.ends():
            reason = (
                f"its mask ends here, {away_mm:.0f} mm from the only outline: one here, empty or "
                "not, says where it ends"
            )
        else:
            reason = (
                f"{away_mm:.0f} mm from the nearest outline; {self.known.confidence[at]:.0%} of "
                "its mask is expected to be right"
            )
        score = float(self.scores(rule)[at])
        return Suggestion(label, name, axis, slice_index, reason, score)
