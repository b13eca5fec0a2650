"""What one pass remembers: metadata for the policy, tensors for the model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from voxtrail.memory import Entry, MemoryPolicy, Query
from voxtrail.model.base import (
    Features,
    Pointer,
    SliceModel,
    SlicePrediction,
    SpatialMemory,
    Tracking,
)


@dataclass(frozen=True, eq=False)
class Recalled:
    """What one slice attends to.

    Parameters
    ----------
    memories, pointers
        As in `Tracking`.
    memory_keys, pointer_keys
        The same, with the keys of the slices that they come from; see
        `voxtrail.propagate.prediction_cache.track_key`.
    """

    memories: tuple[tuple[SpatialMemory, int], ...]
    pointers: tuple[tuple[Pointer, float], ...]
    memory_keys: tuple[tuple[str, int], ...]
    pointer_keys: tuple[tuple[str, float], ...]

    def on(self, features: Features) -> Tracking:
        """Return what the model needs to track a slice."""
        return Tracking(features, self.memories, self.pointers)


class MemoryBank:
    """Entries, spatial memories and pointers by slice number.

    Parameters
    ----------
    policy
        Decides what is recalled and what may be dropped.
    model
        Compares memories, where the policy asks for that.
    """

    def __init__(self, policy: MemoryPolicy, model: SliceModel) -> None:
        self._policy = policy
        self._model = model
        self._entries: dict[int, Entry] = {}
        self._memories: dict[int, SpatialMemory] = {}
        self._pointers: dict[int, Pointer] = {}
        self._keys: dict[int, str] = {}

    def __len__(self) -> int:
        """Return how many spatial memories are held."""
        return len(self._memories)

    def copy(self) -> MemoryBank:
        """Return a bank that remembers the same and goes its own way."""
        other = MemoryBank(self._policy, self._model)
        other._entries = dict(self._entries)
        other._memories = dict(self._memories)
        other._pointers = dict(self._pointers)
        other._keys = dict(self._keys)
        return other

    def note(self, slice_index: int, step: SlicePrediction, key: str) -> None:
        """Remember that a slice was segmented, known by ``key``; its memory may follow."""
        self._entries[slice_index] = Entry(
            slice_index,
            step.prompted,
            step.predicted_iou,
            step.object_score,
            step.area,
            step.agreement,
        )
        self._pointers[slice_index] = step.pointer
        self._keys[slice_index] = key

    def promote(self, query: Query) -> None:
        """Let the policy judge the query's slice, which was noted just now."""
        if self._policy.promotes(query, self._entries):
            noted = self._entries[query.slice_index]
            self._entries[query.slice_index] = replace(noted, promoted=True)

    def wants(self, slice_index: int, upcoming: Query) -> bool:
        """Tell whether a slice's spatial memory may be asked for from ``upcoming`` on."""
        return slice_index in self._policy.retain(upcoming, self._entries)

    def keep(self, slice_index: int, memory: SpatialMemory) -> None:
        """Remember the spatial memory of a slice that was noted."""
        if self._policy.compares:
            found = self._model.likeness(memory, list(self._memories.values()))
            alike = dict(zip(self._memories, found, strict=True))
            self._entries[slice_index] = replace(self._entries[slice_index], likeness=alike)
        self._memories[slice_index] = memory

    def forget(self, upcoming: Query) -> None:
        """Drop whatever no query from ``upcoming`` on can ask for."""
        memories = self._policy.retain(upcoming, self._entries)
        pointers = self._policy.retain_pointers(upcoming, self._entries)
        self._memories = {i: m for i, m in self._memories.items() if i in memories}
        self._pointers = {i: p for i, p in self._pointers.items() if i in pointers}
        self._entries = {i: e for i, e in self._entries.items() if i in memories or i in pointers}
        self._keys = {i: key for i, key in self._keys.items() if i in self._entries}

    def recall(self, query: Query) -> Recalled:
        """Gather what the query's slice attends to."""
        recall = self._policy.recall(query, self._entries)
        # The reference scales pointer distances by the greatest one that can occur.
        farthest = query.memory.farthest_pointer(query.num_slices)
        memories = [(item.slice_index, item.embedding) for item in recall.memories]
        pointers = [(index, distance / farthest) for index, distance in recall.pointers]
        return Recalled(
            memories=tuple((self._memories[i], embedding) for i, embedding in memories),
            pointers=tuple((self._pointers[i], distance) for i, distance in pointers),
            memory_keys=tuple((self._keys[i], embedding) for i, embedding in memories),
            pointer_keys=tuple((self._keys[i], distance) for i, distance in pointers),
        )
