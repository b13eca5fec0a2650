"""The two choices joined: what one slice attends to, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voxtrail.memory.base import (
    MAX_POINTERS,
    PROMPT_EMBEDDING,
    Attended,
    Entry,
    PromptMemory,
    Query,
    Recall,
    RecentMemory,
)


@dataclass(frozen=True)
class MemoryPolicy:
    """Which memories a slice attends to.

    Parameters
    ----------
    prompts
        The choice among prompted slices.
    recent
        The choice among slices tracked before.

    Notes
    -----
    Source: ``SAM2Base._prepare_memory_conditioned_features`` of the reference; with `AllPrompts`
    and `Recent` of six the choice is the reference's, slice for slice. A prompted slice that is
    not selected stands among the tracked ones, for memories and for pointers, as there.
    """

    prompts: PromptMemory
    recent: RecentMemory

    def recall(self, query: Query, entries: Mapping[int, Entry]) -> Recall:
        """Return what the query attends to.

        Parameters
        ----------
        query
            The slice to segment.
        entries
            All that is remembered, by slice number: every prompted slice of the stack, and the
            slices tracked so far by this pass.
        """
        prompted = [index for index, entry in entries.items() if entry.prompted]
        selected = self.prompts.select(query, prompted)
        tracked = {index: entry for index, entry in entries.items() if index not in selected}
        memories = (
            *(Attended(index, PROMPT_EMBEDDING) for index in sorted(selected)),
            *self.recent.select(query, tracked),
        )
        return Recall(memories, self._pointers(query, selected, tracked))

    def retain(self, query: Query, entries: Mapping[int, Entry]) -> frozenset[int]:
        """Return the slices whose spatial memories this or a later query may still ask for."""
        prompted = frozenset(index for index, entry in entries.items() if entry.prompted)
        return prompted | self.recent.retain(query, entries)

    @staticmethod
    def retain_pointers(query: Query, entries: Mapping[int, Entry]) -> frozenset[int]:
        """Return the slices whose object pointers this or a later query may still ask for."""
        return frozenset(
            index
            for index, entry in entries.items()
            if entry.prompted or query.steps_back_to(index) < MAX_POINTERS
        )

    @staticmethod
    def _pointers(
        query: Query, selected: frozenset[int], tracked: Mapping[int, Entry]
    ) -> tuple[tuple[int, int], ...]:
        # Selected prompts count only once passed (only_obj_ptrs_in_the_past_for_eval), however
        # far back; tracked slices count within the window.
        window = min(query.num_slices, MAX_POINTERS)
        from_prompts = (
            (index, query.steps_back_to(index))
            for index in sorted(selected)
            if query.steps_back_to(index) >= 0
        )
        from_tracked = (
            (query.back(steps), steps) for steps in range(1, window) if query.back(steps) in tracked
        )
        return (*from_prompts, *from_tracked)
