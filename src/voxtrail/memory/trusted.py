"""Slices whose mask a policy trusts, by rank: what SAM 3's and SAMURAI's choices share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voxtrail.memory.base import Attended, Entry, Query, passed

#: Tells whether a tracked slice's mask is to be trusted.
Trust = Callable[[Entry], bool]


def newest_trusted(query: Query, tracked: Mapping[int, Entry], trust: Trust) -> list[int]:
    """Return slices by rank: the one just passed, trusted or not, and the newest trusted ones.

    The slice just passed has its rank even where it is not among the tracked ones, because it is a
    selected prompt. Prompted slices are not trusted: they are selected elsewhere.

    Parameters
    ----------
    query, tracked
        As in `RecentMemory.select`.
    trust
        Asked of the nearest slices first, until there are as many as there are pointers.
    """
    most = query.memory.farthest_pointer(query.num_slices)
    found: list[int] = []
    for entry in passed(query, tracked):
        if len(found) == most:
            break
        if not entry.prompted and trust(entry):
            found.append(entry.slice_index)
    just_passed = query.back(1)
    return found if just_passed in found else [just_passed, *found]


def attended_by_rank(
    query: Query, ranked: list[int], tracked: Mapping[int, Entry]
) -> tuple[Attended, ...]:
    """Return the first slices as memories, each with the embedding of its rank."""
    slots = enumerate(ranked[: query.memory.recent_embeddings])
    return tuple(Attended(index, rank) for rank, index in slots if index in tracked)


def retained(query: Query, tracked: Mapping[int, Entry], trust: Trust, most: int) -> frozenset[int]:
    """Return of the slices that any later query may rank those that may be among the first."""
    return frozenset(newest_trusted(query, tracked, trust)[: most + 1]).intersection(tracked)
