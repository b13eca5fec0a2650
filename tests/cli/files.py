"""The files that the commands are tried on."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from tests.scans import oblique_affine, reorder, three_blocks

#: Left-inferior-anterior: neither RAS+ nor any order that two mistakes could undo.
ORDER = ((0, 2, 1), (True, True, False))


def save(path: Path, voxels: np.ndarray, affine: np.ndarray | None = None) -> Path:
    place = stored()[1] if affine is None else affine
    nib.Nifti1Image(voxels, place, dtype=voxels.dtype).to_filename(path)
    return path


def stored() -> tuple[np.ndarray, np.ndarray]:
    voxels, affine = reorder(three_blocks()[0], oblique_affine(), ORDER)
    # Only what float32 holds can be in a NIfTI file.
    return voxels, affine.astype(np.float32).astype(np.float64)


def stored_labels() -> np.ndarray:
    return reorder(three_blocks()[1], oblique_affine(), ORDER)[0]


def outlined() -> np.ndarray:
    """Return the labels on axial slices 4 and 6 alone, in storage order."""
    labels = three_blocks()[1].copy()
    labels[..., [0, 1, 2, 3, 5, 7, 8]] = 0
    return reorder(labels, oblique_affine(), ORDER)[0]


def listing(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }
