"""What has been drawn in a session, frozen; and all that it was before, for undo and redo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import PointPrompt, Prompt, Prompts


class Place(NamedTuple):
    """One slice of one axis (RAS+ number), for one label."""

    label: int
    axis: Axis
    slice_index: int

    @classmethod
    def of(cls, prompt: Prompt) -> Place:
        """Return where a prompt was drawn."""
        return cls(prompt.label, prompt.axis, prompt.slice_index)


@dataclass(frozen=True, eq=False)
class State:
    """What has been drawn so far.

    Parameters
    ----------
    prompts
        In the order in which they were drawn.
    names
        What the labels are called.
    accepted
        Where a mask is not drawn by hand but a prediction that a person accepted.
    imported
        Of labels whose prediction was not made here but read: the number of the label map.
    """

    prompts: tuple[Prompt, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    accepted: frozenset[Place] = frozenset()
    imported: Mapping[int, int] = field(default_factory=dict)

    def on(self, stored: Grid) -> Prompts:
        """Return what was drawn as prompts on a scan."""
        return Prompts(self.prompts, stored, dict(self.names))

    def at(self, place: Place) -> tuple[Prompt, ...]:
        """Return what was drawn in one place, clicks last."""
        here = [prompt for prompt in self.prompts if Place.of(prompt) == place]
        return tuple(sorted(here, key=lambda prompt: isinstance(prompt, PointPrompt)))

    def with_prompt(self, prompt: Prompt, *, accepted: bool = False) -> State:
        """Return the state in which a prompt stands in place of any like it on its slice.

        A mask or a box takes the place of a mask or box, and of the clicks that corrected it;
        clicks take the place of clicks.
        """
        place = Place.of(prompt)
        clicks = isinstance(prompt, PointPrompt)
        kept = tuple(
            one
            for one in self.prompts
            if Place.of(one) != place or (clicks and not isinstance(one, PointPrompt))
        )
        marked = self.accepted - {place} if not clicks else self.accepted
        if accepted:
            marked |= {place}
        return replace(self, prompts=(*kept, prompt), accepted=marked)

    def without(self, place: Place) -> State:
        """Return the state in which nothing is drawn in a place."""
        kept = tuple(one for one in self.prompts if Place.of(one) != place)
        return replace(self, prompts=kept, accepted=self.accepted - {place})

    def without_label(self, label: int) -> State:
        """Return the state in which nothing of a label is drawn; its name stays."""
        return replace(
            self,
            prompts=tuple(one for one in self.prompts if one.label != label),
            accepted=frozenset(place for place in self.accepted if place.label != label),
        )

    def named(self, label: int, name: str) -> State:
        """Return the state in which a label is called ``name``."""
        return replace(self, names={**self.names, label: name})

    def with_imported(self, names: Mapping[int, str], number: int) -> State:
        """Return the state in which a label map holds the predictions of labels of some names."""
        imported = {**self.imported, **dict.fromkeys(names, number)}
        return replace(self, names={**self.names, **names}, imported=imported)

    def deleted(self, label: int) -> State:
        """Return the state in which there is no such label."""
        return replace(
            self.without_label(label),
            names={of: name for of, name in self.names.items() if of != label},
            imported={of: number for of, number in self.imported.items() if of != label},
        )


@dataclass(frozen=True, eq=False)
class History:
    """States, and which of them holds.

    Parameters
    ----------
    states
        All of them, the oldest first.
    at
        Which one holds.
    """

    states: tuple[State, ...] = (State(),)
    at: int = 0

    @property
    def now(self) -> State:
        """The state that holds."""
        return self.states[self.at]

    def then(self, state: State) -> History:
        """Return the history in which ``state`` follows; what was undone is gone."""
        return History((*self.states[: self.at + 1], state), self.at + 1)

    def back(self) -> History:
        """Return the history one state earlier; the same one where there is none."""
        return replace(self, at=max(self.at - 1, 0))

    def forth(self) -> History:
        """Return the history one state later; the same one where there is none."""
        return replace(self, at=min(self.at + 1, len(self.states) - 1))
