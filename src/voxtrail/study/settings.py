"""What holds for a whole study, whatever the experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voxtrail.preprocess import MARGIN_MM


@dataclass(frozen=True)
class Settings:
    """How cases are read and which model segments them.

    Parameters
    ----------
    root
        The dataset.
    model
        A name of the catalogue, a Hugging Face id, a folder or an official ``.pt`` file.
    resolution
        Side of the model's input; None takes the checkpoint's own.
    device
        As in `voxtrail.Config`.
    margin_mm
        Around each structure's bounding box, on all six sides.
    cache
        A folder in which features are kept as files besides; None keeps them in memory only.
    """

    root: Path
    model: str = "small"
    resolution: int | None = None
    device: str = "auto"
    margin_mm: float = MARGIN_MM
    cache: Path | None = None
