"""How passes search for a structure: a single way, or several pathways that are kept apart.

A new search is a new file in this package.
"""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.propagate.search.base import Search

SEARCHES: Family[Search] = Family(
    "voxtrail.propagate.search",
    Search,  # type: ignore[type-abstract]
    "search",
)

__all__ = ["SEARCHES", "Search"]
