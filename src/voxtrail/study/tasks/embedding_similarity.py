"""How alike two temporal embeddings of the model are: no case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.model.sam2 import Sam2SliceModel
from voxtrail.study.bench import Bench
from voxtrail.study.case import Case
from voxtrail.study.tasks.base import Measured, NotHereError, Task


@dataclass(frozen=True)
class EmbeddingSimilarity(Task):
    """Cosine similarity of two of the seven temporal embeddings.

    Parameters
    ----------
    first, second
        0 (the slice just passed) to 5 (six slices back), and 6 (prompted slices).
    """

    kind: ClassVar[str] = "embedding-similarity"
    caseless: ClassVar[bool] = True
    first: int = 0
    second: int = 1

    def run(self, case: Case | None, bench: Bench) -> Measured:
        """Compare the two; see `Task.run`."""
        loaded = bench.model(None, None)
        if not isinstance(loaded.model, Sam2SliceModel):
            raise NotHereError(f"the embeddings of a model that {loaded.model.runtime} runs")
        embeddings = loaded.model.temporal_embeddings.double().cpu().numpy()
        one, other = embeddings[self.first], embeddings[self.second]
        cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
        return Measured(
            model=bench.name_of(loaded),
            weights_sha256=loaded.sha256,
            input_size=loaded.model.input_size,
            value=float(cosine),
            unit="cosine similarity",
        )
