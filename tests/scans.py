"""Small oblique, anisotropic scans in any of the 48 axis orders; worked without voxtrail's code."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

#: (axes, flips): which axis of the first order each stored axis is, and whether it runs backwards.
ORDERS = [
    (axes, flips) for axes in permutations(range(3)) for flips in product((False, True), repeat=3)
]


def oblique_affine() -> np.ndarray:
    """RAS, rotated by up to 20 degrees, voxels of 0.7 x 0.9 x 2.5 mm; fits float32."""
    a, b, c = np.radians([7.0, -11.0, 20.0])
    about_x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    about_y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    about_z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    affine = np.eye(4)
    rotation = np.array(about_x) @ np.array(about_y) @ np.array(about_z)
    affine[:3, :3] = rotation @ np.diag([0.7, 0.9, 2.5])
    affine[:3, 3] = [-101.3, 33.7, 812.1]
    return affine.astype(np.float32).astype(np.float64)


def reorder(voxels: np.ndarray, affine: np.ndarray, order) -> tuple[np.ndarray, np.ndarray]:
    """Store the same image in another axis order."""
    axes, flips = order
    stored = voxels.transpose(axes)
    moved = affine[:, [*axes, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            stored = np.flip(stored, axis)
            moved[:, 3] += moved[:, axis] * (stored.shape[axis] - 1)
            moved[:, axis] *= -1
    return stored, moved


def three_blocks() -> tuple[np.ndarray, np.ndarray]:
    """Return (14, 12, 9) int16 HU in RAS+ order and the labels 1, 2, 3 of three bright blocks."""
    labels = np.zeros((14, 12, 9), np.uint8)
    labels[1:6, 2:6, 1:8] = 1
    labels[8:13, 1:5, 2:7] = 2
    labels[3:11, 7:11, 3:9] = 3
    noise = np.random.default_rng(0).normal(0, 120, labels.shape)
    hu = np.array([-900.0, 300.0, 700.0, 1100.0])[labels] + noise
    return hu.astype(np.int16), labels
