"""The temporal embeddings, compared with each other."""

from __future__ import annotations

from voxtrail.study.experiment import Experiment, Variant
from voxtrail.study.tasks.embedding_similarity import EmbeddingSimilarity

#: Six for slices just passed, one for outlined slices.
EMBEDDINGS = 7

EXPERIMENT = Experiment(
    name="embeddings",
    place="Figure 3b.ii",
    hypothesis="neighbouring embeddings say much the same.",
    paper_says=(
        "the middle embeddings are highly alike, the first and the last are not (figure 3b.ii)."
    ),
    shows="values",
    variants=tuple(
        Variant(f"e{first} ~ e{second}", EmbeddingSimilarity(first, second))
        for first in range(EMBEDDINGS)
        for second in range(first + 1, EMBEDDINGS)
    ),
)
