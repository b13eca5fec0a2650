"""How far each pixel of a slice lies inside or outside of a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def signed_distance_mm(
    mask: NDArray[np.bool_], pixel_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the distance to the nearest pixel centre of the other kind.

    Parameters
    ----------
    mask
        (row, column) bool, not empty.
    pixel_mm
        Distance between rows and between columns.

    Returns
    -------
    numpy.ndarray
        (row, column) float64, mm, Euclidean: positive inside, negative outside. Beyond the picture
        everything is outside.

    Examples
    --------
    >>> signed_distance_mm(np.array([[False, True, True, False, False]]), (1.0, 2.0))
    array([[-2.,  1.,  1., -2., -4.]])
    """
    from scipy.ndimage import distance_transform_edt

    # A border of background, so that a mask that fills its picture has a nearest outside.
    padded = np.pad(mask, 1)
    inside = distance_transform_edt(padded, sampling=pixel_mm)
    outside = distance_transform_edt(~padded, sampling=pixel_mm)
    signed: NDArray[np.float64] = (inside - outside)[1:-1, 1:-1]
    return signed
