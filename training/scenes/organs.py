"""Whole scans of soft lumps among others: the set on which soft contrast is reported.

Procedural as all scenes are, of seeds that no step and no validation draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.scenes.arrange import SceneKind, make_scene
from training.scenes.scanner import View, draw_scanner

FIRST_SEED = 555_000_111
VOXEL_MM, SLICE_MM = 1.5, 3.0
AROUND_MM = 24.0
LARGEST_MM = 75.0
"""Targets that reach farther than this are left out: they would take minutes each."""


def organ_set(
    count: int, contrast_hu: float
) -> Iterator[tuple[NDArray[np.int16], NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield scans: Hounsfield units and the target's mask (x, y, z), and the affine, mm.

    Parameters
    ----------
    count
        How many.
    contrast_hu
        Of the target against the tissue around it.
    """
    seed, found = FIRST_SEED, 0
    while found < count:
        seed += 1
        scene = make_scene(seed, SceneKind("organs", contrast_hu, target="lump"))
        target = scene.target.shape
        if target.reach > LARGEST_MM:
            continue
        found += 1
        scanner = draw_scanner(np.random.default_rng(seed), scene, SLICE_MM)
        view = View(scene, replace(scanner, streaks_hu=0.0), VOXEL_MM, SLICE_MM)
        half = target.reach + AROUND_MM
        side = int(np.ceil(2 * half / VOXEL_MM))
        heights = target.centre[2] + np.arange(-target.reach, target.reach, SLICE_MM)
        corner = float(target.centre[1] - half), float(target.centre[0] - half)
        slices = [view.slice(corner, (side, side), float(z)) for z in heights]
        hu = np.stack([one.T for one, _ in slices], axis=2).round().astype(np.int16)
        mask = np.stack([one.T for _, one in slices], axis=2)
        yield hu, mask, np.diag([VOXEL_MM, VOXEL_MM, SLICE_MM, 1.0])
