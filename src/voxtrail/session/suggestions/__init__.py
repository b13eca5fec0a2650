"""Rules for the slice to outline next, one a file."""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.session.suggestions.base import Known, SuggestionRule

SUGGESTION_RULES: Family[SuggestionRule] = Family(
    "voxtrail.session.suggestions",
    SuggestionRule,  # type: ignore[type-abstract]
    "suggestion rule",
)

#: What is asked unless another is named (phantoms; ``docs/quality.md``).
RULE = "expected-gain"

__all__ = ["RULE", "SUGGESTION_RULES", "Known", "SuggestionRule"]
