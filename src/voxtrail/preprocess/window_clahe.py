"""Windowing, then contrast-limited adaptive histogram equalisation of the windowed slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.preprocess.base import Transform
from voxtrail.preprocess.clahe import CLIP_LIMIT, TILES, check_clahe, equalised
from voxtrail.preprocess.window import BONE_LEVEL_HU, BONE_WIDTH_HU, Window


@dataclass(frozen=True)
class WindowClahe(Transform):
    """CLAHE on the windowed image.

    Parameters
    ----------
    level_hu, width_hu
        As in `Window`.
    clip_limit, tiles
        As in `Clahe`.

    Raises
    ------
    OptionError
        If a setting is out of its range.

    Notes
    -----
    Source: arXiv 2603.23116, preprocessing by "CLAHE + windowing".
    """

    name: ClassVar[str] = "window-clahe"
    voxelwise: ClassVar[bool] = False
    level_hu: float = BONE_LEVEL_HU
    width_hu: float = BONE_WIDTH_HU
    clip_limit: float = CLIP_LIMIT
    tiles: int = TILES

    def __post_init__(self) -> None:
        check_clahe(self.clip_limit, self.tiles)
        Window(self.level_hu, self.width_hu)  # refuses a window that shows nothing

    def grey(self, hu: NDArray[Any], range_hu: tuple[float, float]) -> NDArray[np.float32]:
        """Return grey levels; see `Transform.grey`."""
        windowed = Window(self.level_hu, self.width_hu).grey(hu, range_hu)
        return equalised(windowed, self.clip_limit, self.tiles)
