"""What `micro` version 2 is to reach, and whether it does: the last table of its card.

Each target is a number that `training.report` measures, by name. Dice is over un-prompted slices,
of tracking alone with `is+sps`, unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BUDGETS = {"first-middle-last": 3, "uniform:5": 5, "uniform:9": 9}
"""How outlines are chosen -> how many they are."""


@dataclass(frozen=True)
class Target:
    """A number to be reached.

    Parameters
    ----------
    what
        In words.
    measure
        Its name among the measured numbers.
    least
        What it is to be, at least.
    less
        Name of a number that is taken from it first; empty for none.
    """

    what: str
    measure: str
    least: float
    less: str = ""

    def reached(self, numbers: Mapping[str, float]) -> float | None:
        """Return the number, or None where it was not measured."""
        if self.measure not in numbers or (self.less and self.less not in numbers):
            return None
        return numbers[self.measure] - (numbers[self.less] if self.less else 0.0)


def _targets() -> tuple[Target, ...]:
    found = [
        Target("pelvis, first-middle-last", "pelvis/first-middle-last/is+sps", 0.80),
        Target("pelvis, five outlines", "pelvis/uniform:5/is+sps", 0.87),
        Target("pelvis, nine outlines", "pelvis/uniform:9/is+sps", 0.90),
        Target("phantoms, mean of types", "phantom/mean/is+sps", 0.72),
        Target("phantoms, worst type", "phantom/least/is+sps", 0.50),
        Target("soft structures of 40 HU, first-middle-last", "soft/is+sps", 0.75),
        Target(
            "pelvis, nine outlines above three",
            "pelvis/uniform:9/is+sps",
            0.08,
            "pelvis/first-middle-last/is+sps",
        ),
    ]
    for slices, count in BUDGETS.items():
        beside = f"pelvis/{slices}/distance 1"
        found.append(
            Target(
                f"pelvis, {count} outlines, slices beside one, above copying it",
                f"{beside}/is+sps",
                0.06,
                f"{beside}/copied",
            )
        )
    for name in (*(f"pelvis/{slices}" for slices in BUDGETS), "phantom/mean", "soft"):
        what = name.replace("/", ", ").replace("uniform:", "uniform ")
        found.append(
            Target(f"{what}: above the baseline", f"{name}/is+sps", 0.0, f"{name}/baseline")
        )
    return tuple(found)


TARGETS = _targets()


def targets_table(numbers: Mapping[str, float]) -> str:
    """Return all targets with what was reached, as a Markdown table."""
    lines = ["| target | at least | reached | |", "|---|---|---|---|"]
    for target in TARGETS:
        value = target.reached(numbers)
        if value is None:
            lines.append(f"| {target.what} | {target.least:.2f} | not measured | |")
            continue
        verdict = "yes" if value >= target.least else "**no**"
        lines.append(f"| {target.what} | {target.least:.2f} | {value:.3f} | {verdict} |")
    return "\n".join(lines)
