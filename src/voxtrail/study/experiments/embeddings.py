"""The temporal embeddings, compared.

Hypothesis: neighbouring embeddings say much the same.
Command: ``voxtrail study run embeddings --manifest MANIFEST.csv --root ROOT -o DIR``
Hardware and run time: seconds on any machine; no cases.
The paper: the middle embeddings are highly alike, the first and the last are not (figure 3b.ii).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voxtrail.study.experiment import Experiment, Shows, Variant
from voxtrail.study.tasks.embedding_similarity import EmbeddingSimilarity

#: Six for slices just passed, one for outlined slices.
EMBEDDINGS = 7


@dataclass(frozen=True)
class Embeddings(Experiment):
    """See above."""

    name: ClassVar[str] = "embeddings"
    place: ClassVar[str] = "Figure 3b.ii"
    hypothesis: ClassVar[str] = "neighbouring embeddings say much the same."
    paper_says: ClassVar[str] = (
        "the middle embeddings are highly alike, the first and the last are not (figure 3b.ii)."
    )
    baseline: ClassVar[str | None] = None
    shows: ClassVar[Shows] = "values"

    def variants(self) -> tuple[Variant, ...]:
        """Return the rows; see `Experiment.variants`."""
        return tuple(
            Variant(f"e{first} ~ e{second}", EmbeddingSimilarity(first, second))
            for first in range(EMBEDDINGS)
            for second in range(first + 1, EMBEDDINGS)
        )
