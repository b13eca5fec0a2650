"""What a memory policy sees and what it answers. Metadata only: no tensors, no model, no files.

SAM 2 segments a slice by attending to memories of other slices. Which of them, and which temporal
embedding each is given, is the policy's choice: `MemoryPolicy` joins a choice among the prompted
slices (`PromptMemory`) with one among the slices tracked before (`RecentMemory`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, SupportsFloat

from voxtrail.core.memory_spec import SAM2_MEMORY, MemorySpec

#: Slices whose object pointers are attended to, each with its distance in slices, signed in the
#: direction of travel.
Pointers = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Query:
    """The slice that is about to be segmented.

    Parameters
    ----------
    slice_index
        Its number in the propagated stack, from 0.
    direction
        +1 when the pass runs towards higher numbers, -1 towards lower ones.
    num_slices
        How many slices the propagated stack has (D in the paper).
    memory
        What the model's memory has room for; see `SliceModel.memory_spec`.
    """

    slice_index: int
    direction: int
    num_slices: int
    memory: MemorySpec = SAM2_MEMORY

    def back(self, steps: int) -> int:
        """Return the number of the slice ``steps`` before this one in the direction of travel."""
        return self.slice_index - self.direction * steps

    def steps_back_to(self, slice_index: int) -> int:
        """Return how many steps ago ``slice_index`` was passed; negative if it lies ahead."""
        return (self.slice_index - slice_index) * self.direction

    def nearness(self, slice_index: int) -> tuple[int, int]:
        """Return what sorts slices by distance; of two equally near, the one passed comes first."""
        steps_back = self.steps_back_to(slice_index)
        return abs(steps_back), -steps_back


@dataclass(frozen=True)
class Entry:
    """What is known of a remembered slice.

    Parameters
    ----------
    slice_index
        Its number in the propagated stack.
    prompted
        Whether a person drew on it.
    predicted_iou
        The model's own estimate of the mask's IoU, about 0 to 1; 1 for a drawn mask. Its ``float``
        is asked for by those policies only that look at it; see `SlicePrediction`.
    object_score
        Logit that the object is on the slice at all; likewise.
    area
        Share of the slice's pixels that lie inside the mask, 0 to 1; likewise.
    agreement
        How far the masks agree among which the model chose this one, 0 to 1; likewise. See
        `voxtrail.model.agreement.box_agreement`.
    likeness
        How alike its memory is to those that were held when it was made, by slice number, about
        0 to 1; likewise. Empty unless the policy compares memories (`RecentMemory.compares`).
    promoted
        Whether the policy has let it stand beside the prompted ones (`RecentMemory.promotes`).
    """

    slice_index: int
    prompted: bool
    predicted_iou: SupportsFloat = 1.0
    object_score: SupportsFloat = 10.0
    area: SupportsFloat = 0.0
    agreement: SupportsFloat = 1.0
    likeness: Mapping[int, SupportsFloat] = field(default_factory=dict)
    promoted: bool = False


@dataclass(frozen=True)
class Attended:
    """A memory to attend to: the slice and the index of the temporal embedding it is given."""

    slice_index: int
    embedding: int


@dataclass(frozen=True)
class Recall:
    """What one slice attends to.

    Parameters
    ----------
    memories
        Spatial memories with their temporal embeddings.
    pointers
        Slices whose object pointers are attended to, each with its distance in slices, signed in
        the direction of travel.
    """

    memories: tuple[Attended, ...]
    pointers: Pointers


class PromptMemory(ABC):
    """A choice among the prompted slices."""

    def check(self, memory: MemorySpec) -> None:  # noqa: B027  # most have nothing to refuse
        """Refuse a model whose memory has no room for this choice; by default none is refused.

        Raises
        ------
        OptionError
            If there is no room; called before any work is done.
        """

    @abstractmethod
    def select(self, query: Query, prompted: Collection[int]) -> frozenset[int]:
        """Return which prompted slices to attend to.

        Parameters
        ----------
        query
            The slice to segment.
        prompted
            Numbers of all prompted slices of the stack, before and after the query; not empty.
        """

    def pointers(self, query: Query, selected: Collection[int]) -> Pointers:
        """Return which of the selected slices' object pointers to attend to.

        By default those of slices already passed, however far back: the reference's rule
        (``only_obj_ptrs_in_the_past_for_eval``).
        """
        steps = ((index, query.steps_back_to(index)) for index in sorted(selected))
        return tuple((index, back) for index, back in steps if back >= 0)


class RecentMemory(ABC):
    """A choice among the slices that this pass has tracked."""

    #: Whether it looks at `Entry.likeness`, which is worked out for those only that do.
    compares: ClassVar[bool] = False

    def check(self, memory: MemorySpec) -> None:  # noqa: B027  # most have nothing to refuse
        """Refuse a model whose memory has no room for this choice; by default none is refused.

        Raises
        ------
        OptionError
            If there is no room; called before any work is done.
        """

    @abstractmethod
    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        """Return which tracked slices to attend to and with which embedding.

        Parameters
        ----------
        query
            The slice to segment.
        tracked
            What this pass remembers, by slice number: slices without a prompt, and prompted ones
            that were not selected as prompts (SAM 2 treats those like any recent slice). They
            may lie on either side of the query; a policy takes those behind it only.
        """

    @abstractmethod
    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return which tracked slices this or any later query of the pass may still ask for.

        The rest may be forgotten, which is what bounds memory on long stacks.
        """

    def pointers(self, query: Query, tracked: Mapping[int, Entry]) -> Pointers:
        """Return which tracked slices' object pointers to attend to.

        By default those of all slices within reach behind the query: the reference's rule.

        Parameters
        ----------
        query, tracked
            As in `select`; of slices that were only retained for their pointers, too.
        """
        reach = query.memory.farthest_pointer(query.num_slices)
        return tuple(
            (query.back(steps), steps)
            for steps in range(1, reach + 1)
            if query.back(steps) in tracked
        )

    def retain_pointers(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        """Return which tracked slices' pointers this or a later query may still ask for.

        A choice of its own in `pointers` needs one here, too, unless it stays within reach.
        """
        reach = query.memory.max_pointers
        return frozenset(index for index in tracked if query.steps_back_to(index) < reach)

    def promotes(self, query: Query, tracked: Mapping[int, Entry]) -> bool:
        """Tell whether the query's slice, just tracked, is to be marked as `Entry.promoted`.

        The mark stays, so that a choice may depend on what was promoted before. By default no
        slice is.

        Parameters
        ----------
        query, tracked
            As in `select`; the query's own slice is among the tracked ones.
        """
        return False


def passed(query: Query, tracked: Mapping[int, Entry]) -> list[Entry]:
    """Return the tracked slices that lie behind a query, the nearest first."""
    behind = [one for index, one in tracked.items() if query.steps_back_to(index) > 0]
    return sorted(behind, key=lambda one: query.steps_back_to(one.slice_index))
