"""From a label to its surface: closed, smooth, right side out, of the label's own volume.

Marching cubes on the label's slightly blurred mask, smoothed after Taubin, which keeps the volume
nearly; what it moved is put right by moving every vertex along its normal.

Frame: patient millimetres, RAS, as the affine gives them; oblique, anisotropic and left-handed
scans included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.volume import LabelMap

#: The mask is blurred by a Gaussian of this many voxels (standard deviation) along each axis. With
#: more, ribs a few voxels thick would melt.
_BLUR_VOXELS = 0.6

#: Voxels of background around the label, so that its surface closes at the scan's border, and that
#: the blur fades out.
_BORDER = 3

#: Taubin smoothing: the shares of the way to the neighbours' mean that a vertex goes in and then
#: out, so often. Source: Taubin, "A signal processing approach to fair surface design", 1995.
_IN, _OUT, _TURNS = 0.5, -0.53, 10

#: The volume is put right to this share, in at most so many rounds (bones take two or three),
#: each of which moves the surface by at most this share of the smallest voxel side: single voxels,
#: of which little is left by then, would burst.
_RIGHT, _ROUNDS, _FARTHEST = 1e-4, 40, 0.1

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed surface of triangles.

    Parameters
    ----------
    vertices
        (n, 3) RAS mm.
    faces
        (m, 3) vertex numbers, counter-clockwise as seen from outside.
    """

    vertices: FloatArray
    faces: NDArray[np.int64]

    @property
    def volume_mm3(self) -> float:
        """What it encloses; negative where the inside is out."""
        a, b, c = self.vertices[self.faces].transpose(1, 0, 2)  # (corner, triangle, axis)
        return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6


def surface_of(labels: LabelMap, label: int) -> Surface:
    """Return the surface of a label that occurs.

    Its volume is the label's (voxels times their volume), to within a thousandth.
    """
    voxels = labels.to_stored()
    mask, start = _cut_out(voxels == label)
    vertices, faces = _marching_cubes(_blurred(mask))
    affine = labels.stored.affine
    placed = (vertices - _BORDER + start) @ affine[:3, :3].T + affine[:3, 3]
    wanted = float(np.count_nonzero(mask)) * abs(float(np.linalg.det(affine[:3, :3])))
    # Centred while it is worked on: far from the origin, volumes would cancel badly.
    centre = placed.mean(axis=0)
    surface = Surface(placed - centre, faces)
    if surface.volume_mm3 < 0:  # a left-handed affine turns the triangles over
        surface = Surface(surface.vertices, faces[:, ::-1])
    surface = _with_volume(_smoothed(surface), wanted, min(labels.stored.spacing_mm))
    return Surface(surface.vertices + centre, surface.faces)


def _cut_out(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return the part of a mask that is filled, and where it begins."""
    sides = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(mask.any(axis=others))
        sides.append(slice(int(filled[0]), int(filled[-1]) + 1))
    return mask[tuple(sides)], np.array([side.start for side in sides], dtype=np.float64)


def _blurred(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the blurred mask with a border, in which every voxel stays on its side of 0.5.

    So nothing that is thinner than the blur vanishes, and nothing closes.
    """
    from scipy.ndimage import gaussian_filter

    solid = np.pad(mask, _BORDER).astype(np.float32)
    blurred: NDArray[np.float32] = gaussian_filter(solid, _BLUR_VOXELS)
    margin = np.float32(0.02)
    return np.where(solid > 0, np.maximum(blurred, 0.5 + margin), np.minimum(blurred, 0.5 - margin))


def _marching_cubes(values: NDArray[np.float32]) -> tuple[FloatArray, NDArray[np.int64]]:
    from skimage.measure import marching_cubes

    vertices, faces, _, _ = marching_cubes(values, 0.5)
    return vertices.astype(np.float64), faces.astype(np.int64)


def _smoothed(surface: Surface) -> Surface:
    from scipy.sparse import coo_matrix, diags

    count = len(surface.vertices)
    edges = np.concatenate([surface.faces[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    # A closed surface has every edge twice, once each way: neighbours both ways come by themselves.
    ones = np.ones(len(edges))
    neighbours: Any = coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(count, count)).tocsr()
    mean: Any = diags(1 / np.asarray(neighbours.sum(axis=1)).ravel()) @ neighbours
    vertices = surface.vertices
    for _ in range(_TURNS):
        for share in (_IN, _OUT):
            vertices = vertices + share * (mean @ vertices - vertices)
    return Surface(vertices, surface.faces)


def _with_volume(surface: Surface, wanted_mm3: float, side_mm: float) -> Surface:
    """Move every vertex along its normal, all by one length, until the volume is right."""
    for _ in range(_ROUNDS):
        missing_mm3 = wanted_mm3 - surface.volume_mm3
        if abs(missing_mm3) < _RIGHT * wanted_mm3:
            break
        a, b, c = surface.vertices[surface.faces].transpose(1, 0, 2)  # (corner, triangle, axis)
        across = np.cross(b - a, c - a)  # along the normal, twice as long as the area
        area = float(np.linalg.norm(across, axis=1).sum()) / 2
        normals = np.zeros_like(surface.vertices)
        for corner in range(3):
            np.add.at(normals, surface.faces[:, corner], across)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        farthest_mm = _FARTHEST * side_mm
        step_mm = float(np.clip(missing_mm3 / area, -farthest_mm, farthest_mm))
        surface = Surface(surface.vertices + step_mm * normals, surface.faces)
    return surface
