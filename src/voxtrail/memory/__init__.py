"""Which memories a slice attends to: the heart of voxtrail, from metadata alone.

`parse_policy` builds a policy from the two texts that the command line and the study use. A new
choice is a new file in `voxtrail.memory.prompted` or `voxtrail.memory.recent`.
"""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.core.memory_spec import MemorySpec
from voxtrail.memory.base import Attended, Entry, PromptMemory, Query, Recall, RecentMemory
from voxtrail.memory.policy import MemoryPolicy

PROMPT_MEMORIES: Family[PromptMemory] = Family(
    "voxtrail.memory.prompted",
    PromptMemory,  # type: ignore[type-abstract]
    "prompt memory",
)
RECENT_MEMORIES: Family[RecentMemory] = Family(
    "voxtrail.memory.recent",
    RecentMemory,  # type: ignore[type-abstract]
    "memory",
)


def parse_policy(prompt_memory: str, memory: str) -> MemoryPolicy:
    """Build the policy that two specs name.

    Raises
    ------
    OptionError
        If a name or option is unknown; the message lists the valid ones.

    Examples
    --------
    >>> parse_policy("near:tau=0.3", "intelligent")
    MemoryPolicy(prompts=NearPrompts(tau=0.3, nearest=True, n=0), recent=Intelligent())
    """
    return MemoryPolicy(PROMPT_MEMORIES.parse(prompt_memory), RECENT_MEMORIES.parse(memory))


__all__ = [
    "PROMPT_MEMORIES",
    "RECENT_MEMORIES",
    "Attended",
    "Entry",
    "MemoryPolicy",
    "MemorySpec",
    "PromptMemory",
    "Query",
    "Recall",
    "RecentMemory",
    "parse_policy",
]
