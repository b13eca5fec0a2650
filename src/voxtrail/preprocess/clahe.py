"""Contrast-limited adaptive histogram equalisation (CLAHE), slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import OptionError
from voxtrail.preprocess.base import Transform
from voxtrail.preprocess.minmax import MinMax

#: The paper gives no settings; these are scikit-image's defaults (8 x 8 tiles are OpenCV's too).
CLIP_LIMIT = 0.01
TILES = 8


@dataclass(frozen=True)
class Clahe(Transform):
    """CLAHE on the min-max image.

    Parameters
    ----------
    clip_limit
        Largest share of a tile's pixels that one grey level may hold before it is cut, above 0
        and at most 1; higher gives more contrast.
    tiles
        Number of tiles along the rows and along the columns of a slice, 1 or more.

    Raises
    ------
    OptionError
        If a setting is out of its range.

    Notes
    -----
    Source: arXiv 2603.23116, preprocessing by "CLAHE" alone, read as slice by slice on the
    min-max image.
    """

    name: ClassVar[str] = "clahe"
    voxelwise: ClassVar[bool] = False
    clip_limit: float = CLIP_LIMIT
    tiles: int = TILES

    def __post_init__(self) -> None:
        check_clahe(self.clip_limit, self.tiles)

    def grey(self, hu: NDArray[Any], range_hu: tuple[float, float]) -> NDArray[np.float32]:
        """Return grey levels; see `Transform.grey`."""
        return equalised(MinMax().grey(hu, range_hu), self.clip_limit, self.tiles)


def check_clahe(clip_limit: float, tiles: int) -> None:
    """Refuse settings that CLAHE cannot work with.

    Raises
    ------
    OptionError
        If ``clip_limit`` is not above 0 and at most 1, or ``tiles`` is below 1.
    """
    if not 0 < clip_limit <= 1 or tiles < 1:
        raise OptionError(
            "CLAHE settings out of range",
            received=f"clip_limit={clip_limit:g}, tiles={tiles}",
            accepted="clip_limit above 0 and at most 1, tiles 1 or more",
            remedy=f"leave them at clip_limit={CLIP_LIMIT}, tiles={TILES}",
        )


def equalised(grey: NDArray[np.float32], clip_limit: float, tiles: int) -> NDArray[np.float32]:
    """Return a slice equalised by itself.

    Parameters
    ----------
    grey
        (row, column) float32 in 0..1.
    clip_limit, tiles
        As in `Clahe`.

    Returns
    -------
    numpy.ndarray
        Same shape, float32, 0..1; 256 distinct levels a tile, interpolated between tiles.

    Notes
    -----
    Source: `skimage.exposure.equalize_adapthist` (scikit-image 0.24 and later), in two dimensions:
    its tiles of thickness one in three dimensions take their histograms from the slice before.
    It also stretches each image that it is given from black to white, which would turn an empty
    slice white. A border row that holds 0 and 1 pins the scale of every slice to the same range;
    it is cut off again.
    """
    from skimage.exposure import equalize_adapthist

    rows, columns = grey.shape
    pinned = np.pad(grey, ((0, 1), (0, 1)), mode="edge")
    pinned[-1, 0], pinned[-1, -1] = 0.0, 1.0
    kernel = (max(rows // tiles, 1), max(columns // tiles, 1))
    result = equalize_adapthist(pinned, kernel_size=kernel, clip_limit=clip_limit)
    return np.asarray(result[:rows, :columns], dtype=np.float32)
