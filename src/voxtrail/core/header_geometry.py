"""How a header says where its voxels lie, kept so that what is written says the same.

A NIfTI header may give two places (sform and qform), codes for what each is, and a unit; NRRD and
MetaImage have a unit that most programs pass over. Programs differ in which place they go by. What
lies on a scan's grid is therefore written with the scan's own words, so that every program puts
both on one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class HeaderGeometry:
    """The part of a header that says where voxels lie.

    Parameters
    ----------
    fields
        The header's own values by NIfTI's names, as they are stored; none of another format.
    places
        Every place that a reader may give the voxels, 4x4 (stored voxel index to RAS mm); the one
        that voxtrail goes by comes first.
    itk
        The one of them that ITK goes by, and with it 3D Slicer, ITK-SNAP and ANTs.
    unit
        The unit of `itk` by NRRD's or MetaImage's name, where it is not the millimetres that ITK
        takes it for; empty elsewhere.
    """

    fields: dict[str, NDArray[Any]]
    places: tuple[NDArray[np.float64], ...]
    itk: NDArray[np.float64]
    unit: str = ""
