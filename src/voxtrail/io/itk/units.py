"""The unit in which an NRRD or MetaImage header gives lengths.

ITK, and with it 3D Slicer, ITK-SNAP and ANTs, passes over it and takes every number for
millimetres. Inside voxtrail lengths are millimetres; what is written on such a scan's grid keeps
the scan's numbers, and the unit where the format has one, so that those programs see both on one
place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.header_geometry import HeaderGeometry

FloatArray = NDArray[np.float64]

#: Millimetres of each unit, as people spell it.
_MM = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns"), 1e-3),
    **dict.fromkeys(("micrometer", "micrometers", "micrometre", "micrometres"), 1e-3),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1e3),
}

#: A unit is quoted up to this many characters.
_QUOTE = 40


def in_mm(
    affine: FloatArray, unit: str
) -> tuple[FloatArray, HeaderGeometry | None, tuple[str, ...]]:
    """Return where voxels are in millimetres.

    Parameters
    ----------
    affine
        4x4: stored voxel index to RAS, in the header's unit.
    unit
        As the header spells it; empty where it says none, which is millimetres.

    Returns
    -------
    tuple
        The affine in millimetres; what is to be written on that grid, None where nothing is
        special about it; and what a person should know, a line each.
    """
    mm = _MM.get(unit.strip().lower())
    if not unit.strip() or mm == 1.0:
        return affine, None, ()
    if mm is None:
        return affine, None, (
            f"its header gives lengths in {unit[:_QUOTE]!r}, a unit that is not known: taken for "
            "millimetres, as other programs do",
        )  # fmt: skip
    own = affine.copy()
    own[:3] *= mm
    note = (
        f"lengths are stored in {unit[:_QUOTE]}; outputs keep the numbers, which programs that "
        "go by ITK take for millimetres"
    )
    return own, HeaderGeometry({}, (own, affine), affine, unit.strip()), (note,)
