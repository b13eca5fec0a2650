"""What a scanner makes of a scene: Hounsfield units with blur, noise, streaks and thick slices.

And the grey levels that a run of voxtrail makes of those: by the package's own windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from training.scenes.arrange import Scene, Thing
from training.scenes.materials import BACKGROUNDS_HU, METAL
from training.scenes.shapes import FAR_MM, FloatArray
from voxtrail.preprocess import MinMax, Transform, Window, WindowClahe

LEAST_HU, MOST_HU = -1000.0, 3071.0
"""What a scanner writes (12 bits)."""

FAINT_HU = 60.0
"""Where the inside is below this and the rim by as much above it, the rim is what is seen."""


@dataclass(frozen=True)
class Scanner:
    """How a scene is seen.

    Parameters
    ----------
    blur_vox
        Standard deviation of the point spread in the plane, in voxels.
    sharpened
        How much a sharp kernel exaggerates edges.
    noise_hu, noise_vox
        Standard deviation of the noise, and of the blur that correlates it.
    samples
        Positions within a slice's thickness that are averaged: 1 or 2.
    streaks_hu
        Strength of the streaks that metal makes, in the scene or beside it; 0 for none.
    transform
        From Hounsfield units to grey levels.
    recoloured
        Whether grey levels are bent at random or inverted, so that not every image is a CT's.
    """

    blur_vox: float
    sharpened: float
    noise_hu: float
    noise_vox: float
    samples: int
    streaks_hu: float
    transform: Transform
    recoloured: bool


def draw_scanner(rng: Generator, scene: Scene, thickness_mm: float) -> Scanner:
    """Draw a scanner that fits a scene: its window shows the target."""
    metal = of_metal(scene.things) or rng.random() < 0.04
    target = scene.target.material
    contrast = abs(target.inside_hu - scene.around_hu[0])
    if target.inside_hu < FAINT_HU and target.rim_hu > target.inside_hu + FAINT_HU:
        contrast = target.rim_hu - scene.around_hu[0]
    quiet = rng.uniform(0, 1) ** 2  # most scans are quieter than the worst
    # A target of soft tissue under noise that nobody could see through teaches nothing.
    loudest = 90.0 if contrast > 150 else min(90.0, 0.8 * contrast)
    return Scanner(
        blur_vox=float(rng.uniform(0, 1.0)),
        sharpened=float(rng.uniform(0.2, 1.2)) if rng.random() < 0.3 else 0.0,
        noise_hu=float(4 + (loudest - 4) * quiet) if loudest > 4 else loudest,
        noise_vox=float(rng.uniform(0, 1.1)),
        samples=2 if thickness_mm > 2.5 and rng.random() < 0.5 else 1,
        streaks_hu=float(rng.uniform(40, 400)) if metal else 0.0,
        transform=_drawn_window(rng, scene),
        recoloured=bool(rng.random() < 0.12),
    )


def _drawn_window(rng: Generator, scene: Scene) -> Transform:
    """Return a window as people choose it: of bone for bone, narrow ones for soft tissue."""
    target, pick = scene.target.material, rng.random()
    if target.rim_hu > 250:
        if pick < 0.7:
            return Window()
        if pick < 0.85:
            return Window(float(rng.uniform(200, 600)), float(rng.uniform(800, 2600)))
        if pick < 0.9:
            return Window(40.0, 400.0)
        return MinMax() if pick < 0.95 else WindowClahe(400.0, 1800.0)
    if pick < 0.5:
        return Window(40.0, 400.0)
    if pick < 0.9:
        middle = (target.inside_hu + scene.around_hu[0]) / 2
        return Window(float(middle + rng.normal(0, 30)), float(rng.uniform(120, 600)))
    return Window(float(rng.uniform(0, 200)), float(rng.uniform(500, 1500)))


class Texture:
    """A smooth random function of the place, of unit strength: a sum of waves."""

    def __init__(self, rng: Generator, shortest_mm: float, longest_mm: float, waves: int) -> None:
        length = np.exp(rng.uniform(np.log(shortest_mm), np.log(longest_mm), (waves, 1)))
        way = rng.standard_normal((waves, 3))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        self._waves = (2 * np.pi * way / length).astype(np.float32)
        self._phases = rng.uniform(0, 2 * np.pi, (waves, 1)).astype(np.float32)

    def at(self, points: FloatArray) -> FloatArray:
        """Return the values (P,) at ``points`` (3, P)."""
        total = np.cos(self._waves @ points + self._phases).sum(0)
        return (total * np.sqrt(2 / len(self._phases))).astype(np.float32)


class View:
    """A scene seen by a scanner: call `slice` for what is on one.

    Parameters
    ----------
    scene, scanner
        What is seen, and how.
    voxel_mm
        In the plane.
    thickness_mm
        Of a slice.
    """

    def __init__(
        self, scene: Scene, scanner: Scanner, voxel_mm: float, thickness_mm: float
    ) -> None:
        self.scene, self.scanner = scene, scanner
        self.voxel_mm, self.thickness_mm = voxel_mm, thickness_mm
        rng = np.random.default_rng(scene.seed)
        self._tissue = Texture(rng, 15, 110, 24)
        self._grain = Texture(rng, 2, 9, 24)
        self._threshold = float(rng.uniform(-0.3, 0.3))
        self._edge_mm = voxel_mm * float(rng.uniform(0.15, 0.5))
        self._rng = rng
        self._metal_xy = scene.target.shape.centre[:2] + scene.target.shape.reach * rng.uniform(
            -1.3, 1.3, 2
        )

    def slice(
        self, corner_mm: tuple[float, float], shape_hw: tuple[int, int], z_mm: float
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return Hounsfield units and the target's mask (rows, columns) of a window of a slice.

        Parameters
        ----------
        corner_mm
            y and x of the centre of the window's first voxel.
        shape_hw
            Rows and columns of the window.
        z_mm
            Height of the slice's middle.
        """
        points = self._grid(corner_mm, shape_hw, z_mm)
        distance, owner = self._nearest(points)
        if self.scanner.samples == 1:
            hu = self._hu(points, distance, owner)
        else:
            shift = np.array([[0], [0], [self.thickness_mm / 4]], dtype=np.float32)
            seen = [self._hu(one, *self._nearest(one)) for one in (points - shift, points + shift)]
            hu = (seen[0] + seen[1]) * np.float32(0.5)
        mask = (owner == 0) & (distance < 0)
        return self._scanned(hu.reshape(shape_hw), corner_mm), mask.reshape(shape_hw)

    def _grid(
        self, corner_mm: tuple[float, float], shape_hw: tuple[int, int], z_mm: float
    ) -> FloatArray:
        rows = corner_mm[0] + self.voxel_mm * np.arange(shape_hw[0])
        columns = corner_mm[1] + self.voxel_mm * np.arange(shape_hw[1])
        y, x = np.meshgrid(rows, columns, indexing="ij")
        z = np.full_like(x, z_mm)
        return np.stack([x, y, z]).reshape(3, -1).astype(np.float32)

    def _nearest(self, points: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return the distance to the nearest thing at each point, gaps carved, and which it is."""
        low, high = points.min(1), points.max(1)
        fields = np.full((len(self.scene.things), points.shape[1]), FAR_MM, dtype=np.float32)
        for field, thing in zip(fields, self.scene.things, strict=True):
            closest = thing.shape.centre.clip(low, high)
            if np.linalg.norm(closest - thing.shape.centre) < thing.shape.reach + 5:
                field[:] = thing.shape.distance(points)
        owner = fields.argmin(0)
        if len(fields) == 1:
            return fields[0], owner
        first, second = np.partition(fields, 1, axis=0)[:2]
        if self.scene.fused:
            return first, owner
        return np.maximum(first, (first - second + self.scene.gap_mm) / 2), owner

    def _hu(self, points: FloatArray, distance: FloatArray, owner: NDArray[np.intp]) -> FloatArray:
        tissue, grain = self._tissue.at(points), self._grain.at(points)
        first, second = self.scene.around_hu
        share = BACKGROUNDS_HU[self.scene.surroundings][2]
        # The cut that leaves about this share of a normal variable above it.
        cut = {0.2: 0.84, 0.25: 0.67, 0.5: 0.0, 0.75: -0.67}[share] + self._threshold
        around = np.where(tissue > cut, second, first) + 6 * grain
        things = [thing.material for thing in self.scene.things]
        inside, rim, width, rough = (
            np.array([getattr(m, name) for m in things], dtype=np.float32)[owner]
            for name in ("inside_hu", "rim_hu", "rim_mm", "grain_hu")
        )
        depth = np.maximum(-distance, 0)
        softness = np.maximum(0.3 * width, 0.2)
        share_in = 1 / (1 + np.exp(((width - depth) / softness).clip(-30, 30)))
        share_in = np.where(width > 0, share_in, 1)
        made = rim + (inside + rough * (grain + 0.5 * tissue) - rim) * share_in
        solid = 1 / (1 + np.exp((distance / self._edge_mm).clip(-30, 30)))
        return (around + (made - around) * solid).astype(np.float32)

    def _scanned(
        self, hu: NDArray[np.float32], corner_mm: tuple[float, float]
    ) -> NDArray[np.float32]:
        scanner, rng = self.scanner, self._rng
        hu = gaussian_filter(hu, scanner.blur_vox) if scanner.blur_vox > 0.15 else hu
        if scanner.sharpened:
            hu = hu + scanner.sharpened * (hu - gaussian_filter(hu, 1.0))
        noise = rng.standard_normal(hu.shape).astype(np.float32)
        if scanner.noise_vox > 0.2:
            noise = gaussian_filter(noise, scanner.noise_vox)
        spread = float(noise.std())
        hu = hu + noise * (scanner.noise_hu / spread if spread > 0 else 0)
        if scanner.streaks_hu:
            hu = hu + self._streaks(hu.shape, corner_mm)
        return hu.clip(LEAST_HU, MOST_HU).astype(np.float32)

    def _streaks(
        self, shape_hw: tuple[int, ...], corner_mm: tuple[float, float]
    ) -> NDArray[np.float32]:
        """Return dark and bright rays around metal, other ones on each slice."""
        rng = self._rng
        y = corner_mm[0] + self.voxel_mm * np.arange(shape_hw[0])[:, None] - self._metal_xy[1]
        x = corner_mm[1] + self.voxel_mm * np.arange(shape_hw[1])[None] - self._metal_xy[0]
        angle, away = np.arctan2(y, x), np.hypot(y, x)
        rays = sum(
            np.cos(waves * angle + rng.uniform(0, 2 * np.pi)) / np.sqrt(k + 1)
            for k, waves in enumerate((2, 6, 10, 17, 29))
        )
        made: NDArray[np.float32] = self.scanner.streaks_hu * rays / (1 + away / 15)
        return made


def grey(scanner: Scanner, slices: list[NDArray[np.float32]], rng: Generator) -> list[FloatArray]:
    """Return the grey levels, 0 to 1, of a stack's slices in Hounsfield units."""
    around = min(float(s.min()) for s in slices), max(float(s.max()) for s in slices)
    if around[1] - around[0] < 1:  # nothing but one value
        around = around[0], around[0] + 1
    found = [scanner.transform.grey(one, around) for one in slices]
    if scanner.recoloured:
        levels = np.sort(rng.uniform(0, 1, 6)) if rng.random() < 0.5 else rng.uniform(0, 1, 6)
        if rng.random() < 0.5:
            levels = levels[::-1]
        steps = np.linspace(0, 1, len(levels))
        found = [np.interp(one, steps, levels).astype(np.float32) for one in found]
    return found


def of_metal(things: tuple[Thing, ...]) -> bool:
    """Tell whether any thing is metal."""
    return any(thing.material is METAL for thing in things)
