"""How alike two temporal embeddings of the model are; no structure is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voxtrail.errors import UnavailableError
from voxtrail.model.torch_model import TorchSliceModel
from voxtrail.study.target import Target
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.base import Measurements, Task


@dataclass(frozen=True)
class EmbeddingSimilarity(Task):
    """Cosine similarity of two of the seven temporal embeddings.

    Parameters
    ----------
    first, second
        0 (the slice just passed) to 5 (six slices back), and 6 (prompted slices).
    """

    kind: ClassVar[str] = "embedding-similarity"
    without_target: ClassVar[bool] = True
    first: int = 0
    second: int = 1

    def run(self, target: Target | None, context: TaskContext) -> Measurements:
        """Compare the two; see `Task.run`."""
        loaded = context.model(None, None)
        if not isinstance(loaded.model, TorchSliceModel):
            raise UnavailableError(f"the embeddings of a model that {loaded.model.runtime} runs")
        embeddings = loaded.model.temporal_embeddings.double().cpu().numpy()
        one, other = embeddings[self.first], embeddings[self.second]
        cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
        return Measurements(
            model=context.name_of(loaded),
            weights_sha256=loaded.sha256,
            input_size=loaded.model.input_size,
            value=float(cosine),
            unit="cosine similarity",
        )
