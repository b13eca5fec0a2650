"""Ribs and sternum, and the chest wall that they share with the lungs.

Each half of the chest is a stack of ellipses, one a height. A rib is an arc on that wall:
it starts beside its vertebra, sweeps back, round the side and forward, and sinks as it goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voxtrail.datasets.phantom.bone import Bone, side_box, side_name
from voxtrail.datasets.phantom.shapes import Array, Points, Vec, corner, ellipse, profile
from voxtrail.datasets.phantom.spine import Level

# Half chest by height: centre (outwards from the midline, front) and half width and depth.
_WALL_Z = (220, 270, 320, 370, 420, 470, 510, 540, 560)
_WALL_X = (70, 70, 70, 68, 64, 56, 45, 34, 28)
_WALL_Y = (8, 8, 6, 4, 1, -5, -14, -24, -30)
_WALL_A = (70, 75, 77, 76, 72, 64, 52, 36, 22)
_WALL_B = (80, 86, 93, 93, 88, 75, 55, 34, 22)

# Per rib: sinking from back to front (mm) and where the bone ends (degrees, see `_bearing`).
_SINK_MM = (30, 48, 63, 75, 84, 92, 98, 98, 94, 84, 58, 34)
_END_DEG = (282, 283, 276, 270, 265, 262, 256, 246, 234, 220, 178, 132)
_START_DEG = 47.0

_STERNUM_Z = (335, 345, 365, 385, 420, 450, 460, 470, 490, 503, 510)
_STERNUM_HALF_WIDTH = (3, 6, 11, 18, 17, 14.5, 15, 19, 25, 28, 27)
_STERNUM_ROUNDING_MM = 3.4
_STERNUM_Y = (70, 71, 72, 71, 64, 55, 51, 46, 35, 27, 23)


@dataclass(frozen=True)
class Wall:
    """Where points lie relative to the wall of one half of the chest.

    Attributes
    ----------
    depth : float64 array
        Signed distance to the middle of the wall, mm; negative towards the lung.
    bearing : float64 array
        Degrees round the half chest: 0 medial, 90 back, 180 outer side, 270 front.
    """

    depth: Array
    bearing: Array


def chest_wall(p: Points) -> Wall:
    """Locate points relative to the half chest on the side where x is positive."""
    a, b = profile(p.z, _WALL_Z, _WALL_A), profile(p.z, _WALL_Z, _WALL_B)
    u, v = p.x - profile(p.z, _WALL_Z, _WALL_X), p.y - profile(p.z, _WALL_Z, _WALL_Y)
    bearing = np.mod(np.degrees(np.arctan2(-v / b, -u / a)), 360)
    return Wall(ellipse(u, v, a, b), bearing)


def rib(number: int, side: int, level: Level) -> Bone:
    """Rib 1..12 of one side, hung on the vertebra of its number."""
    sink, end = float(_SINK_MM[number - 1]), float(_END_DEG[number - 1])
    start_z = level.z + 0.55 * level.half_height
    # The first rib lies flat like a shelf; the others stand on edge.
    thick, tall = (7.0, 3.6) if number == 1 else (3.9, 6.8 if number < 11 else 5.4)

    def distance(p: Points) -> Array:
        wall = chest_wall(p.moved((level.x, 0, 0)).mirrored(side))
        travelled = np.clip((wall.bearing - _START_DEG) / (end - _START_DEG), -0.1, 1.1)
        fall = 0.5 * travelled + 0.5 * travelled**2 * (3 - 2 * travelled)
        rise = 2.5 * np.exp(-(((wall.bearing - _START_DEG) / 12) ** 2))  # the neck is slender
        height = p.z - (start_z - sink * fall)
        section = ellipse(wall.depth, height, thick + 0.4 * rise, tall - 0.5 * rise)
        # Bearings become lengths at about 1.35 mm a degree on a wall of this size.
        beyond = np.maximum(_START_DEG - wall.bearing, wall.bearing - end) * 1.35
        return corner(section, beyond, rounding=1.5)

    low, high = side_box(side, (5, -112, start_z - sink - 12), (160, 115, start_z + 12))
    return Bone(
        name=f"rib_{side_name(side)}_{number}",
        low=low,
        high=high,
        distance=distance,
        cortex_mm=1.0,
        marrow_hu=170.0,
        gap_mm=1.5,
    )


def sternum() -> Bone:
    """Manubrium, body and the tip of the xiphoid, as one tilted plate."""

    def distance(p: Points) -> Array:
        half_width = profile(p.z, _STERNUM_Z, _STERNUM_HALF_WIDTH)
        depth = (p.y - profile(p.z, _STERNUM_Z, _STERNUM_Y)) * 0.9  # the plate leans back
        notch = 5 * np.exp(-((p.x / 11) ** 2))  # jugular notch
        half_depth = profile(p.z, (340, 370, 450, 458, 464, 500), (4.6, 5.6, 5.6, 6.6, 5.8, 7.4))
        ends = np.maximum(p.z - 508 + notch, 338 - p.z)
        sides = np.abs(p.x) - half_width
        half_depth *= 1 - 0.4 * np.minimum(np.abs(p.x) / half_width, 1) ** 2  # lens-shaped across
        return corner(sides, np.abs(depth) - half_depth, ends, rounding=_STERNUM_ROUNDING_MM)

    return Bone(
        name="sternum",
        low=(-34, 8, 328),
        high=(34, 88, 516),
        distance=distance,
        cortex_mm=0.9,
        marrow_hu=140.0,
    )


def cartilage(number: int, side: int, level: Level) -> list[Vec]:
    """Course of the costal cartilage from the end of rib 1..10 to the sternum."""
    sink, end = float(_SINK_MM[number - 1]), np.radians(_END_DEG[number - 1])
    z = level.z + 0.55 * level.half_height - sink
    a, b = (float(np.interp(z, _WALL_Z, t)) for t in (_WALL_A, _WALL_B))
    x = float(np.interp(z, _WALL_Z, _WALL_X)) - a * float(np.cos(end))
    y = float(np.interp(z, _WALL_Z, _WALL_Y)) - b * float(np.sin(end))
    target_z = max(z + (4 if number < 5 else 14), 372.0 - 4 * max(number - 6, 0))
    half_width = float(np.interp(target_z, _STERNUM_Z, _STERNUM_HALF_WIDTH))
    end_x, end_y = half_width + 3, float(np.interp(target_z, _STERNUM_Z, _STERNUM_Y))
    middle = (0.5 * (x + end_x), 0.5 * (y + end_y) + 5, 0.6 * z + 0.4 * target_z)
    course = ((x, y, z), middle, (end_x, end_y, target_z))
    return [(level.x + side * v[0], v[1], v[2]) for v in course]
