"""Where a NIfTI header puts its voxels, and the same words for what is written on that grid.

The rule: the sform where its code is set and its matrix has a volume, else the qform where its code
is set, else (neither) the voxel sizes, centred on the origin with the first axis to the left, as
nibabel has it. Lengths are read in the header's unit and are millimetres inside.

Other programs go by other rules: ITK (3D Slicer, ITK-SNAP, ANTs) takes the qform where the sform is
no rotation, and the corner as the origin where neither is set. Every place that a program may take
is kept, so that labels drawn in any of them are accepted; see docs/decisions/0015.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import SAME_GRID_VOXELS
from voxtrail.core.header_geometry import HeaderGeometry

FloatArray = NDArray[np.float64]

#: Millimetres of each unit of length that NIfTI has; an unknown one is taken for millimetres.
_UNIT_MM = {1: 1e3, 2: 1.0, 3: 1e-3}
_UNIT_NAMES = {1: "metres", 3: "micrometres"}

#: The bits of `xyzt_units` that are the unit of length.
_LENGTH_BITS = 0x07

#: What is copied as it is.
_FIELDS = (
    "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z",
)  # fmt: skip

#: The sign of the qform's third axis, and the three voxel sizes.
_SIZES = slice(0, 4)

#: What is said of the place that ITK takes where the header gives voxtrail one alone.
_ITK = "place that ITK takes"

#: How far from a right angle ITK lets the directions of a sform be; found by trial.
_ITK_ORTHONORMAL = 1e-4

#: A matrix whose columns span less than this share of their lengths' product has no volume.
_NO_VOLUME = 1e-6


def read_geometry(
    header: Any, shape: tuple[int, int, int]
) -> tuple[FloatArray, HeaderGeometry, tuple[str, ...]]:
    """Return where a header puts its voxels.

    Parameters
    ----------
    header
        nibabel's header of either version.
    shape
        Number of voxels along the three axes.

    Returns
    -------
    tuple
        The affine (stored voxel to RAS mm), all that the header says, and what a person should
        know of it, a line each.
    """
    unit = int(header["xyzt_units"]) & _LENGTH_BITS
    to_mm = np.diag([*[_UNIT_MM.get(unit, 1.0)] * 3, 1.0])
    places = {name: to_mm @ affine for name, affine in _places(header, shape).items()}
    fields = {name: np.array(header[name]) for name in _FIELDS}
    fields["pixdim"] = np.array(header["pixdim"][_SIZES])
    fields["xyzt_units"] = np.array(unit, np.uint8)
    own, itk = next(iter(places.values())), to_mm @ _itk_place(header)
    notes = [_disagreement(places, shape)]
    if not _has_volume(itk) or not _apart(own, itk, shape):
        itk = own
    elif not notes[0]:
        notes = [_disagreement({next(iter(places)): own, _ITK: itk}, shape)]
    if unit in _UNIT_NAMES:
        notes.append(f"lengths are stored in {_UNIT_NAMES[unit]}, which outputs keep")
    geometry = HeaderGeometry(fields, (*places.values(), itk), itk)
    return own, geometry, tuple(filter(None, notes))


def write_geometry(header: Any, geometry: HeaderGeometry) -> None:
    """Give a header the words of another one, as they are."""
    for name, value in geometry.fields.items():
        if name == "pixdim":
            header["pixdim"][_SIZES] = value
        elif name == "xyzt_units":
            header[name] = (int(header[name]) & ~_LENGTH_BITS) | int(value)
        else:
            header[name] = value


def _places(header: Any, shape: tuple[int, int, int]) -> dict[str, FloatArray]:
    """Return every place that a reader may take, by its name, voxtrail's own first."""
    places: dict[str, FloatArray] = {}
    sform = np.asarray(header.get_sform(), np.float64)
    if int(header["sform_code"]) > 0 and _has_volume(sform):
        places[f"sform (code {int(header['sform_code'])})"] = sform
    if int(header["qform_code"]) > 0 and (qform := _qform(header)) is not None:
        places[f"qform (code {int(header['qform_code'])})"] = qform
    if not places:
        # A broken one that is all there is goes on, and is refused where it is used.
        centred = header.get_best_affine() if int(header["sform_code"]) else _centred(header, shape)
        places["voxel sizes, centred on the origin"] = np.asarray(centred, np.float64)
    return places


def _itk_place(header: Any) -> FloatArray:
    """Return where ITK puts the voxels, in the header's unit; as ITK 5.3 and 5.4 do.

    It takes the directions of an orthonormal sform, with the voxel sizes of the header, where that
    is of code 1 or the only one; else the qform; and where neither is set, the corner as the
    origin with axes to the left and to the back.
    """
    sizes = np.abs(np.asarray(header["pixdim"][1:4], np.float64))
    sform = np.asarray(header.get_sform(), np.float64)
    code, other = int(header["sform_code"]), int(header["qform_code"])
    if (code == 1 or (code > 0 and other == 0)) and _is_orthonormal(sform):
        placed = sform.copy()
        placed[:3, :3] *= sizes / np.linalg.norm(sform[:3, :3], axis=0)
        return placed
    if other > 0 and (qform := _qform(header)) is not None:
        return qform
    if code > 0:
        return sform
    return np.diag([-sizes[0], -sizes[1], sizes[2], 1.0])


def _centred(header: Any, shape: tuple[int, int, int]) -> FloatArray:
    sizes = np.array([-1.0, 1.0, 1.0]) * np.abs(np.asarray(header["pixdim"][1:4], np.float64))
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = -sizes * (np.array(shape) - 1) / 2
    return affine


def _qform(header: Any) -> FloatArray | None:
    try:
        qform = np.asarray(header.get_qform(), np.float64)
    except (ValueError, ArithmeticError):  # no rotation
        return None
    return qform if _has_volume(qform) else None


def _has_volume(affine: FloatArray) -> bool:
    columns = affine[:3, :3]
    if not np.isfinite(affine).all():
        return False
    lengths = np.linalg.norm(columns, axis=0)
    return bool(lengths.all() and abs(np.linalg.det(columns / lengths)) > _NO_VOLUME)


def _is_orthonormal(affine: FloatArray) -> bool:
    if not _has_volume(affine):
        return False
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(directions.T @ directions - np.eye(3)).max() <= _ITK_ORTHONORMAL)


def _apart(ours: FloatArray, theirs: FloatArray, shape: tuple[int, int, int]) -> float:
    """Return how far two places are apart at most, in mm; 0 where it is rounding."""
    ends = np.array([[0, n - 1] for n in shape])
    corners = np.array(np.meshgrid(*ends)).reshape(3, -1)
    off = (theirs - ours)[:3, :3] @ corners + (theirs - ours)[:3, 3:]
    if np.abs(np.linalg.inv(ours[:3, :3]) @ off).max() <= SAME_GRID_VOXELS:
        return 0.0
    return float(np.linalg.norm(off, axis=0).max())


def _disagreement(places: dict[str, FloatArray], shape: tuple[int, int, int]) -> str:
    """Say that a header gives two places, if it does, and which one is taken."""
    if len(places) < 2 or not all(map(_has_volume, places.values())):
        return ""
    (taken, ours), (other, theirs) = places.items()
    apart_mm = _apart(ours, theirs, shape)
    if not apart_mm:
        return ""
    return (
        f"its NIfTI header gives two places, up to {apart_mm:.4g} mm apart: taken is the {taken}; "
        f"other programs may take the {other}; outputs as NIfTI carry both"
    )
