"""The two choices joined: what one slice attends to, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.memory.base import Attended, Entry, PromptMemory, Query, Recall, RecentMemory
from voxtrail.memory.prompted.closest import ClosestPrompts


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
    not selected stands among the tracked ones, for memories and for pointers, as there. Where a
    model was made for fewer prompted slices than are selected, it gets the closest of them.
    """

    prompts: PromptMemory
    recent: RecentMemory

    def check(self, memory: MemorySpec) -> None:
        """Refuse a model whose memory has no room for what the two choices ask for.

        Raises
        ------
        OptionError
            If there is none; the message says what there is room for.
        """
        self.prompts.check(memory)
        self.recent.check(memory)

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
        if query.memory.max_prompts is not None:
            selected = ClosestPrompts(query.memory.max_prompts).select(query, sorted(selected))
        tracked = {index: entry for index, entry in entries.items() if index not in selected}
        memories = (
            *(Attended(index, query.memory.prompt_embedding) for index in sorted(selected)),
            *self.recent.select(query, tracked),
        )
        pointers = (
            *self.prompts.pointers(query, selected),
            *self.recent.pointers(query, tracked),
        )
        return Recall(memories, pointers)

    @property
    def compares(self) -> bool:
        """Whether `Entry.likeness` is looked at."""
        return self.recent.compares

    def promotes(self, query: Query, entries: Mapping[int, Entry]) -> bool:
        """Tell whether the query's slice, just tracked, is to be marked as promoted."""
        return self.recent.promotes(query, entries)

    def retain(self, query: Query, entries: Mapping[int, Entry]) -> frozenset[int]:
        """Return the slices whose spatial memories this or a later query may still ask for."""
        prompted = frozenset(index for index, entry in entries.items() if entry.prompted)
        return prompted | self.recent.retain(query, entries)

    def retain_pointers(self, query: Query, entries: Mapping[int, Entry]) -> frozenset[int]:
        """Return the slices whose object pointers this or a later query may still ask for."""
        prompted = frozenset(index for index, entry in entries.items() if entry.prompted)
        return prompted | self.recent.retain_pointers(query, entries)
