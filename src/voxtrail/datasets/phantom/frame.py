"""Where the voxels of a scan lie in the patient and in the atlas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.shapes import Array, Points, Vec

Box = tuple[slice, slice, slice]

# Bends move points by up to two amplitudes; boxes must hold what moves into them.
_MARGIN_MM = 14.0


@dataclass(frozen=True)
class Frame:
    """A voxel grid and its place in the patient.

    Attributes
    ----------
    shape : tuple of int
        Voxels (i, j, k) towards right, front and head.
    spacing : Vec
        mm per voxel.
    origin : Vec
        Patient mm (RAS) of the centre of voxel (0, 0, 0).
    physique : Physique
        Carries patient mm to the atlas.
    """

    shape: tuple[int, int, int]
    spacing: Vec
    origin: Vec
    physique: Physique

    @property
    def affine(self) -> Array:
        """4x4 voxel index -> patient mm (RAS)."""
        affine = np.diag([*self.spacing, 1.0])
        affine[:3, 3] = self.origin
        return affine

    @property
    def whole(self) -> Box:
        """The box of all voxels."""
        return (slice(0, self.shape[0]), slice(0, self.shape[1]), slice(0, self.shape[2]))

    @cached_property
    def points(self) -> Points:
        """Atlas positions of all voxels."""
        turn = self.physique.tilt / self.physique.size
        lines = zip(self.origin, self.spacing, self.shape, strict=True)
        i, j, k = np.ix_(*(start + step * np.arange(count) for start, step, count in lines))
        x, y, z = (row[0] * i + row[1] * j + row[2] * k for row in turn)
        return self.physique.bend(Points(x, y, z))

    @cached_property
    def coarse(self) -> Frame:
        """The same space at every second voxel, for what is smooth (see `doubled`)."""
        i, j, k = (count // 2 + 1 for count in self.shape)
        sx, sy, sz = (2 * step for step in self.spacing)
        return Frame((i, j, k), (sx, sy, sz), self.origin, self.physique)

    def box(self, low: Vec, high: Vec) -> Box | None:
        """Find the voxels that may see an atlas box; None where that lies outside the scan."""
        corners = np.array([low, high]).T
        mesh = np.stack(np.meshgrid(*corners, indexing="ij"), axis=-1).reshape(-1, 3)
        patient = self.physique.size * (mesh @ self.physique.tilt)  # inverse of a rotation
        index = (patient - np.array(self.origin)) / np.array(self.spacing)
        margin = _MARGIN_MM / np.array(self.spacing)
        start = np.maximum(np.floor(index.min(axis=0) - margin).astype(int), 0)
        stop = np.minimum(np.ceil(index.max(axis=0) + margin).astype(int) + 1, self.shape)
        if np.any(stop - start < 2):
            return None
        spans = [slice(int(a), int(b)) for a, b in zip(start, stop, strict=True)]
        return (spans[0], spans[1], spans[2])


def doubled(values: Array, shape: tuple[int, ...]) -> Array:
    """Interpolate linearly from every second voxel to all voxels of `shape`."""
    for axis, size in enumerate(shape):
        along = np.moveaxis(values, axis, 0)
        fine = np.empty((2 * len(along), *along.shape[1:]))
        fine[::2] = along
        fine[1:-1:2] = 0.5 * (along[:-1] + along[1:])
        fine[-1] = along[-1]
        values = np.moveaxis(fine[:size], 0, axis)
    return np.ascontiguousarray(values)
