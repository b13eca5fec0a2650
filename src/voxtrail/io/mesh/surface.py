"""From a label to its surface: closed, smooth, right side out, of the label's own volume.

Marching cubes on the label's slightly blurred mask, smoothed after Taubin by trimesh, which keeps
the volume nearly; what it moved is put right by moving every vertex along its normal.

Frame: patient millimetres, RAS, as the affine gives them; oblique, anisotropic and left-handed
scans included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box
from voxtrail.core.volume import LabelMap

#: The mask is blurred by a Gaussian of this many voxels (standard deviation) along each axis. With
#: more, ribs a few voxels thick would melt.
_BLUR_VOXELS = 0.6

#: Voxels of background around the label, so that its surface closes at the scan's border, and that
#: the blur fades out.
_BORDER = 3

#: Taubin smoothing: the shares of the way to the neighbours' mean that a vertex goes in and then
#: out, so often. Source: Taubin, "A signal processing approach to fair surface design", 1995.
_IN, _OUT, _TURNS = 0.5, 0.53, 10

#: The volume is put right to this share, in at most so many rounds (bones take two or three),
#: each of which moves the surface by at most this share of the smallest voxel side: single voxels,
#: of which little is left by then, would burst.
_RIGHT, _ROUNDS, _FARTHEST = 1e-4, 40, 0.1

FloatArray = NDArray[np.float64]


def surface_of(labels: LabelMap, label: int) -> Any:
    """Return the surface of a label that occurs.

    Its volume is the label's (voxels times their volume), to within a thousandth.

    Returns
    -------
    trimesh.Trimesh
        Vertices in RAS mm; faces counter-clockwise as seen from outside.
    """
    import trimesh

    whole = labels.stored.orientation().to_stored(labels.mask(label))
    box = Box.around(whole)
    if box is None:
        raise ValueError(f"label {label} does not occur")
    mask = whole[box.slices]
    vertices, faces = _marching_cubes(_blurred(mask))
    affine = labels.stored.itk_affine
    placed = (vertices - _BORDER + np.array(box.start)) @ affine[:3, :3].T + affine[:3, 3]
    wanted_mm3 = float(np.count_nonzero(mask)) * abs(float(np.linalg.det(affine[:3, :3])))
    # Centred while it is worked on: far from the origin, volumes would cancel badly.
    centre = placed.mean(axis=0)
    # Vertices keep their order and number: nothing is merged or dropped.
    mesh = trimesh.Trimesh(placed - centre, faces, process=False)
    if mesh.volume < 0:  # a left-handed affine turns the triangles over
        mesh.invert()
    trimesh.smoothing.filter_taubin(mesh, lamb=_IN, nu=_OUT, iterations=2 * _TURNS)
    _put_volume_right(mesh, wanted_mm3, float(np.linalg.norm(affine[:3, :3], axis=0).min()))
    mesh.vertices = mesh.vertices + centre
    return mesh


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


def _put_volume_right(mesh: Any, wanted_mm3: float, side_mm: float) -> None:
    """Move every vertex along its normal, all by one length, until the volume is right."""
    farthest_mm = _FARTHEST * side_mm
    for _ in range(_ROUNDS):
        missing_mm3 = wanted_mm3 - mesh.volume
        if abs(missing_mm3) < _RIGHT * wanted_mm3:
            break
        step_mm = float(np.clip(missing_mm3 / mesh.area, -farthest_mm, farthest_mm))
        mesh.vertices = mesh.vertices + step_mm * mesh.vertex_normals
