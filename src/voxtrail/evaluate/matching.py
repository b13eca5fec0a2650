"""Which label of one file is which of another: by name where both have names, else by number.

Numbers of labels are whatever a program counted. Two files of the same organs may number them
differently, and a binary mask may be 1 or 255; names say what is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voxtrail.core.volume import LabelMap
from voxtrail.errors import ImageError


@dataclass(frozen=True)
class Matching:
    """What each label of one side is called on the other.

    Parameters
    ----------
    numbers
        By label of the first side: its number among the second's. What the second does not have
        gets a number that is free on both sides.
    note
        How they were matched, where numbers alone did not say it; else empty.
    """

    numbers: dict[int, int] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Side:
    """The labels of one side.

    Parameters
    ----------
    what
        What they are, for messages: ``"prediction"``.
    labels
        Those that occur, in rising order.
    names
        What they are called, as far as the file says so.
    titles
        What those without a name are called after their files, which may mean something or not.
    """

    what: str
    labels: Sequence[int]
    names: Mapping[int, str]
    titles: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, what: str, labels: LabelMap) -> Side:
        """Return what a label map holds."""
        return cls(what, labels.labels(), labels.names, labels.titles)

    @property
    def sure(self) -> bool:
        """Whether every label has a name in the file itself."""
        return all(label in self.names for label in self.labels)

    def called(self, label: int) -> str:
        """Return a label's name, or its title, or its number."""
        return self.names.get(label) or self.titles.get(label, str(label))

    def named(self) -> dict[str, int]:
        """Return the labels by name, spelled alike; empty if one has no name, or two have one."""
        called = {**self.titles, **self.names}
        found = {_plain(called[label]): label for label in self.labels if label in called}
        return found if len(found) == len(self.labels) else {}


def match(first: Side, second: Side) -> Matching:
    """Match the labels of two sides.

    Parameters
    ----------
    first
        Its labels are given the numbers of the second's.
    second
        The side whose numbers stand.

    Raises
    ------
    ImageError
        If both files have names and no name is common, though numbers are; or if one name stands
        for different numbers and not all labels have names to go by.
    """
    ours, theirs = first.named(), second.named()
    common = [name for name in ours if name in theirs]
    if common:
        return _by_name(first, second, ours, theirs)
    if len(first.labels) == len(second.labels) == 1:
        (label,), (number,) = first.labels, second.labels
        if ours and theirs and first.sure and second.sure:
            raise _contradiction(first, second)
        if label == number:
            return Matching({label: label})
        return Matching(
            {label: number},
            f"each has one label: {label} of the {first.what} was taken for {number} of the "
            f"{second.what}",
        )
    sure = bool(ours and theirs and first.sure and second.sure)
    if (sure and set(first.labels) & set(second.labels)) or _crossed(first, second):
        raise _contradiction(first, second)
    return Matching({label: label for label in first.labels})


def _crossed(first: Side, second: Side) -> bool:
    """Tell whether a name that both files give stands for different numbers.

    So it may be where a label has no name, or two have one, and names cannot match all.
    """
    theirs = {(_plain(name), label) for label, name in second.names.items()}
    known = {name for name, _ in theirs}
    ours = [(_plain(first.names[label]), label) for label in first.labels if label in first.names]
    return any(
        name in known and label in second.labels and (name, label) not in theirs
        for name, label in ours
    )


def _by_name(
    first: Side, second: Side, ours: Mapping[str, int], theirs: Mapping[str, int]
) -> Matching:
    numbers = {label: theirs[name] for name, label in ours.items() if name in theirs}
    taken = {*first.labels, *second.labels, *first.names, *second.names, 0}
    for name, label in ours.items():
        if name not in theirs:
            free = label if label not in second.labels else max(taken) + 1
            numbers[label] = free
            taken.add(free)
    moved = [f"{first.called(old)} {old} = {new}" for old, new in numbers.items() if old != new]
    if not moved:
        return Matching(numbers)
    return Matching(
        numbers,
        f"labels of the {first.what} and the {second.what} were matched by name, since their "
        f"numbers differ: {', '.join(moved)}",
    )


def _contradiction(first: Side, second: Side) -> ImageError:
    def listed(side: Side) -> str:
        return ", ".join(f"{label} {side.called(label)}" for label in side.labels)

    return ImageError(
        f"the names of the {first.what} and of the {second.what} contradict their numbers",
        received=f"{first.what}: {listed(first)}; {second.what}: {listed(second)}"[:500],
        accepted="names that both have, or labels without names, which are matched by number",
        remedy="rename the structures in one of the two files",
    )


def _plain(name: str) -> str:
    """Return a name without regard to capitals, underscores and spaces."""
    return " ".join(name.casefold().replace("_", " ").split())
