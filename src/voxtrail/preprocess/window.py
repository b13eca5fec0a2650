"""Windowing: the range of Hounsfield units that a radiologist would look at, spread over 0..1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import OptionError
from voxtrail.preprocess.base import Transform

#: The paper names a bone window without numbers; these are ours, as on Radiopaedia (below).
BONE_LEVEL_HU = 400.0
BONE_WIDTH_HU = 1800.0


@dataclass(frozen=True)
class Window(Transform):
    """Clip to a window and scale it to 0..1; each voxel by itself.

    Parameters
    ----------
    level_hu
        Middle of the window in Hounsfield units.
    width_hu
        From black to white, more than 0.

    Raises
    ------
    OptionError
        If the level is not finite, or the width not finite and positive.

    Notes
    -----
    Source: paper, preprocessing by "windowing" (clip, then scale linearly). We keep fractions
    where the paper rounds to 0..255.

    Examples
    --------
    >>> Window(level_hu=400, width_hu=1800).apply(np.array([[[-900, -500, 400, 1300, 3000]]]))
    array([[[0. , 0. , 0.5, 1. , 1. ]]], dtype=float32)
    """

    name: ClassVar[str] = "window"
    voxelwise: ClassVar[bool] = True
    level_hu: float = BONE_LEVEL_HU
    width_hu: float = BONE_WIDTH_HU

    def __post_init__(self) -> None:
        if not (
            math.isfinite(self.level_hu) and math.isfinite(self.width_hu) and self.width_hu > 0
        ):
            raise OptionError(
                "a window that shows nothing",
                received=f"level {self.level_hu:g}, width {self.width_hu:g}",
                accepted="a finite level and a width above 0, in HU",
                remedy="write LEVEL,WIDTH such as 400,1800",
            )

    def grey(self, hu: NDArray[Any], range_hu: tuple[float, float]) -> NDArray[np.float32]:
        """Return grey levels, whatever the scan's range; see `Transform.grey`."""
        grey = hu.astype(np.float32)  # a copy, so that the rest works in place
        grey -= np.float32(self.level_hu - self.width_hu / 2)
        grey /= np.float32(self.width_hu)
        return np.clip(grey, 0.0, 1.0, out=grey)


#: Windows with a name. Source: Radiopaedia, "Windowing (CT)", https://radiopaedia.org/articles/
#: windowing-ct (brain 40/80, lungs -600/1500, bone 400/1800; it gives 50/400 for soft tissue of
#: the abdomen, where 40/400 is as common and is what we use).
NAMED_WINDOWS: dict[str, Window] = {
    "bone": Window(),
    "soft": Window(level_hu=40.0, width_hu=400.0),
    "lung": Window(level_hu=-600.0, width_hu=1500.0),
    "brain": Window(level_hu=40.0, width_hu=80.0),
}
