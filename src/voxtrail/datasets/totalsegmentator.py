"""TotalSegmentator's folders: one a subject, with a CT and one binary mask a class.

::

    ROOT/s0000/ct.nii.gz
    ROOT/s0000/segmentations/hip_left.nii.gz ...

Version 1 writes an empty mask for a class that is absent, version 2 may leave its file out; both
are read as absent. Nothing here draws or counts: `voxtrail.datasets.composition` and
`voxtrail.datasets.sample` do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxtrail.core.alignment import on_grid
from voxtrail.core.box import Box
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.bones import bone_type, is_bone
from voxtrail.errors import ImageError, InputError
from voxtrail.io import read, read_labels
from voxtrail.io.nifti.image import read_grid

CT, MASKS, SUFFIX = "ct.nii.gz", "segmentations", ".nii.gz"


@dataclass(frozen=True)
class Structure:
    """A bone that is in a scan.

    Parameters
    ----------
    case
        Name of the subject's folder.
    structure
        TotalSegmentator's class.
    bone_type
        The paper's.
    axial_slices
        How many axial slices it is on.
    box
        Its bounding box, RAS+ voxels.
    shape
        Of the scan, RAS+ voxels.
    spacing_mm
        Voxel size along the RAS+ axes.
    ct_bytes, mask_bytes
        Sizes of the two files.
    """

    case: str
    structure: str
    bone_type: str
    axial_slices: int
    box: Box
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    ct_bytes: int
    mask_bytes: int


def ct_path(root: Path, case: str) -> Path:
    """Return where a subject's CT lies."""
    return root / case / CT


def mask_path(root: Path, case: str, structure: str) -> Path:
    """Return where a structure's mask lies."""
    return root / case / MASKS / f"{structure}{SUFFIX}"


def cases(root: Path) -> tuple[str, ...]:
    """Return the names of the subjects, sorted.

    Raises
    ------
    InputError
        If the folder is not there or holds no subject.
    """
    if not os.path.isdir(root):  # unlike Path.is_dir, no error for a name that no file can have
        raise InputError(
            "there is no such dataset",
            received=root,
            accepted="a folder of subjects, each with ct.nii.gz and segmentations/",
            remedy="pass the folder that TotalSegmentator's archive was unpacked to",
        )
    found = tuple(sorted(path.parent.name for path in root.glob(f"*/{CT}")))
    if not found:
        raise InputError(
            "the dataset holds no subject",
            received=root,
            accepted=f"folders with {CT} and {MASKS}/, as in TotalSegmentator",
            remedy="pass the folder that holds the subjects' folders",
        )
    return found


def structures(root: Path, case: str) -> tuple[str, ...]:
    """Return the bone classes for which a subject has a file, sorted; a file may be empty.

    Raises
    ------
    InputError
        If the subject has no folder of masks, or a file is called like a bone that is none.
    """
    folder = root / case / MASKS
    if not os.path.isdir(folder):
        raise InputError(
            f"{case} has no masks",
            received=f"no folder {MASKS} in {root / case}",
            accepted=f"{case}/{CT} and {case}/{MASKS}/",
            remedy="unpack the dataset whole, or remove the subject",
        )
    names = sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
    return tuple(name for name in names if is_bone(name))


def measure(root: Path, case: str, structure: str) -> Structure | None:
    """Look at one mask: where the structure is, or None where it is absent.

    Raises
    ------
    ImageError
        If CT or mask cannot be read, or the mask holds more than one label.
    GridError
        If the mask lies on another grid than the CT.
    """
    mask = read_mask(root, case, structure)
    box = Box.around(mask.voxels > 0)
    if box is None:
        return None
    occupied = (mask.voxels > 0).any(axis=(0, 1))
    return Structure(
        case=case,
        structure=structure,
        bone_type=bone_type(structure),
        axial_slices=int(np.count_nonzero(occupied)),
        box=box,
        shape=mask.grid.shape,
        spacing_mm=mask.grid.spacing_mm,
        ct_bytes=ct_path(root, case).stat().st_size,
        mask_bytes=mask_path(root, case, structure).stat().st_size,
    )


def read_ct(root: Path, case: str) -> Volume:
    """Read a subject's CT."""
    return read(_there(ct_path(root, case)))


def read_mask(root: Path, case: str, structure: str) -> LabelMap:
    """Read one structure's mask as label 1 on the CT's grid.

    Raises
    ------
    ImageError
        If a file is missing, cannot be read, or the mask holds more than one label.
    GridError
        If the voxels of the mask do not lie on those of the CT.
    """
    place = _there(mask_path(root, case, structure))
    mask = read_labels(place)
    labels = mask.labels()
    if len(labels) > 1:
        raise ImageError(
            f"{place} is no binary mask",
            received=f"labels {', '.join(map(str, labels))}",
            accepted="0 and one other value",
            remedy="keep one structure a file",
        )
    grid = read_grid(_there(ct_path(root, case)))
    inside = LabelMap((mask.voxels > 0).astype(np.uint8), mask.stored, {1: structure})
    return on_grid(inside, grid, f"{case}/{structure}")


def present(root: Path, case: str) -> Iterator[Structure]:
    """Yield the structures that are in a scan, however small."""
    for name in structures(root, case):
        found = measure(root, case, name)
        if found is not None:
            yield found


def _there(path: Path) -> Path:
    if not os.path.isfile(path):
        raise ImageError(
            "a file of the dataset is missing",
            received=path,
            accepted=f"CASE/{CT} and CASE/{MASKS}/STRUCTURE{SUFFIX}",
            remedy="unpack the dataset again, or draw a new sample from what there is",
        )
    return path
