"""What differs between two states of a drawing: where, and in a few words."""

from __future__ import annotations

from voxtrail.core.grid import Grid
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.session.state import Place, State


def places(one: State, other: State) -> list[Place]:
    """Return the places in which not the same is drawn, in order."""
    mine, theirs = ({id(prompt): prompt for prompt in state.prompts} for state in (one, other))
    differing = [mine.get(key) or theirs[key] for key in mine.keys() ^ theirs.keys()]
    return sorted(
        {Place.of(prompt) for prompt in differing},
        key=lambda place: (place.label, place.axis.value, place.slice_index),
    )


def words(before: State, after: State, stored: Grid) -> str:
    """Say what a change did, for a person; slices are numbered as the file stores them."""
    changed = places(before, after)
    names = {**before.names, **after.names}

    def name(label: int) -> str:
        return names.get(label, str(label))

    if not changed:
        named = {of for of in names if before.names.get(of) != after.names.get(of)}
        added, gone = named - before.names.keys(), named - after.names.keys()
        told = ", ".join(name(label) for label in sorted(named))
        return f"{'add' if added else 'delete' if gone else 'rename'} {told}"
    if len(changed) > 1:
        labels = sorted({place.label for place in changed})
        return f"{len(changed)} outlines of {', '.join(name(label) for label in labels)}"
    (place,) = changed
    number = SliceFrame.of(stored, place.axis).slice_number(place.slice_index)
    did = "outline" if after.at(place) else "remove outline"
    return f"{did} {name(place.label)}, {place.axis.label} {number}"
