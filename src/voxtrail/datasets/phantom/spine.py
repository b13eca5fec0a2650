"""Vertebrae C1 to L5: body, pedicles, arch, foramen and processes, level by level.

S1 belongs to the sacrum's solid (see `pelvis`). Sizes are those of an ordinary adult,
from general anatomy; no shape is taken from data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from voxtrail.datasets.phantom.bone import Bone
from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.shapes import (
    Array,
    Points,
    capsule,
    carve,
    common,
    ellipse,
    ellipsoid,
    plate,
    rotation,
    tube,
    union,
)

# Height of each vertebra with the disc below it, mm, from L5 upwards.
_STEPS_MM = {
    "L5": 35, "L4": 36, "L3": 36, "L2": 35, "L1": 34,
    "T12": 31, "T11": 29, "T10": 27, "T9": 26, "T8": 25, "T7": 24.5, "T6": 24,
    "T5": 23.5, "T4": 23, "T3": 22, "T2": 21.5, "T1": 21,
    "C7": 19, "C6": 17.5, "C5": 17, "C4": 17, "C3": 17,
}  # fmt: skip
_FLOOR_Z = 80.0  # top of S1
# Front-to-back course of the vertebral bodies: lordosis, kyphosis, lordosis.
_COURSE_Z = (60, 80, 115, 150, 190, 240, 290, 350, 420, 490, 540, 575, 610, 650, 690)
_COURSE_Y = (-30, -22, -14, -11, -14, -25, -41, -57, -64, -55, -41, -28, -17, -12, -10)


@dataclass(frozen=True)
class Level:
    """Place and half sizes of one vertebral body; atlas mm, tilt in radians."""

    name: str
    x: float
    y: float
    z: float
    tilt: float
    half_width: float
    half_depth: float
    half_height: float

    @property
    def region(self) -> str:
        """'C', 'T' or 'L'."""
        return self.name[0]

    @property
    def canal(self) -> tuple[float, float, float]:
        """Centre y, half width and half depth of the vertebral foramen (local mm)."""
        half_width, half_depth = {"C": (12.0, 7.5), "T": (8.8, 8.3), "L": (11.5, 8.8)}[self.region]
        return -0.88 * self.half_depth - half_depth, half_width, half_depth


def course_y(z: Array | float, kyphosis: float) -> Array:
    """Front-to-back position of the column of vertebral bodies at height z."""
    z_knots, y_knots = _smooth_course()
    return np.asarray(kyphosis * (np.interp(z, z_knots, y_knots) + 25) - 25)


@lru_cache(maxsize=1)
def _smooth_course() -> tuple[Array, Array]:
    """Tabulate the spine's course without its corners, 1 mm apart."""
    z = np.arange(_COURSE_Z[0], _COURSE_Z[-1] + 1.0)
    line = np.interp(z, _COURSE_Z, _COURSE_Y)
    return z, ndimage.gaussian_filter1d(line, 9.0, mode="nearest")


def levels(physique: Physique) -> dict[str, Level]:
    """Every vertebra from L5 up to C1 on the patient's spinal curve."""
    found: dict[str, Level] = {}
    floor = _FLOOR_Z
    for rank, (name, step) in enumerate(_STEPS_MM.items()):
        disc = {"L": 8.0, "T": 5.0, "C": 4.5}[name[0]] - (1.0 if name == "T1" else 0.0)
        half_width, half_depth = _footprint(name, rank)
        found[name] = _level(
            physique,
            name,
            floor + disc + (step - disc) / 2,
            (half_width, half_depth),
            (step - disc) / 2,
        )
        floor += step
    found["C2"] = _level(physique, "C2", floor + 4 + 9.5, (10.0, 7.5), 9.5)
    found["C1"] = _level(physique, "C1", floor + 4 + 9.5 + 21.5, (12.0, 8.0), 7.0)
    return found


def _footprint(name: str, rank: int) -> tuple[float, float]:
    if name[0] == "C":
        return 12.5 - 0.4 * (rank - 17), 8.2
    # From L5 (rank 0) to T1 (rank 16) bodies shrink; T1 and T2 widen again.
    half_width = float(np.interp(rank, [0, 4, 8, 12, 16], [25.5, 21.5, 17.0, 14.5, 15.0]))
    half_depth = float(np.interp(rank, [0, 4, 8, 12, 16], [18.0, 16.5, 15.5, 12.5, 9.5]))
    return half_width, half_depth


def _level(
    physique: Physique, name: str, z: float, footprint: tuple[float, float], half_height: float
) -> Level:
    rise = 8.0
    y_low, y, y_high = course_y(np.array([z - rise, z, z + rise]), physique.kyphosis)
    x = physique.scoliosis_mm * np.sin((z - _FLOOR_Z) / 75.0)
    tilt = float(np.arctan2(y_high - y_low, 2 * rise))
    return Level(name, float(x), float(y), z, tilt, footprint[0], footprint[1], half_height)


def vertebra(level: Level) -> Bone:
    """Model the bone of one level, in its own tilted frame."""
    turn = rotation(level.tilt, 0.0, 0.0)
    shape = {"C1": _atlas, "C2": _axis}.get(
        level.name, _cervical if level.region == "C" else _trunk
    )

    def distance(p: Points) -> Array:
        return shape(p.moved((level.x, level.y, level.z)).turned(turn), level)

    reach_x, reach_back = (56.0, 92.0) if level.region == "L" else (46.0, 84.0)
    return Bone(
        name=f"vertebrae_{level.name}",
        low=(level.x - reach_x, level.y - reach_back, level.z - level.half_height - 34),
        high=(level.x + reach_x, level.y + 28, level.z + level.half_height + 24),
        distance=distance,
        cortex_mm=1.0,
        marrow_hu=190.0,
        gap_mm=1.8,
    )


def _body(p: Points, level: Level) -> Array:
    """Model the body: a waisted drum with a flat back."""
    flare = 1 - 0.10 * (1 - np.minimum((p.z / level.half_height) ** 2, 1))
    drum = ellipse(p.x, p.y, level.half_width * flare, level.half_depth * flare)
    back = -0.86 * level.half_depth - p.y
    return common(drum, back, np.abs(p.z) - level.half_height, blend=3.0)


def _ring(p: Points, level: Level, thickness: float, low: float, high: float) -> Array:
    """Model the laminae: an elliptic ring behind the body between two heights."""
    y, half_width, half_depth = level.canal
    outer = ellipse(p.x, p.y - y, half_width + thickness, half_depth + thickness)
    return common(outer, p.z - high, low - p.z, p.y - (y + half_depth), blend=2.0)


def _with_canal(solid: Array, p: Points, level: Level) -> Array:
    y, half_width, half_depth = level.canal
    return carve(solid, ellipse(p.x, p.y - y, half_width, half_depth), blend=1.0)


def _trunk(p: Points, level: Level) -> Array:
    """Thoracic or lumbar vertebra."""
    y, half_width, half_depth = level.canal
    h, back = level.half_height, y - half_depth
    q = Points(np.abs(p.x), p.y, p.z)  # paired parts
    root = half_width + 4.0
    pedicle = capsule(
        q, (root, -0.6 * level.half_depth, 0.4 * h), (root, y - 2, 0.35 * h), 5.2, 5.0
    )
    upper = capsule(q, (root, y - 3, 0.4 * h), (root + 2.5, y - 5, h + 4.5), 5.2, 4.4)
    lower = capsule(q, (root, back + 3, -0.3 * h), (root - 2.5, back - 1, -h - 7.5), 5.2, 4.2)
    if level.region == "L":
        wing = capsule(q, (root, y - 3, 0.3 * h), (level.half_width + 19, y - 9, 0.4 * h), 5.5, 3.6)
        spine = _blade(p, back, h)
        ring = _ring(p, level, 6.0, -0.85 * h, 0.4 * h)
    else:
        wing = capsule(
            q, (root, y - 3, 0.2 * h), (level.half_width + 17, back - 8, 0.5 * h), 5.2, 5.0
        )
        drop = 0.6 * h + (14 if level.name in {"T11", "T12", "T1"} else 22)
        tip = (0.0, back - 33, -drop)
        spine = tube(
            p, [(0.0, back + 1, -0.1 * h), (0.0, back - 12, -0.5 * h), tip], [5.0, 4.0, 3.6]
        )
        ring = _ring(p, level, 5.2, -0.95 * h, 0.5 * h)
    arch = union(ring, pedicle, upper, lower, wing, spine, blend=3.0)
    return _with_canal(union(_body(p, level), arch, blend=2.0), p, level)


def _blade(p: Points, back: float, h: float) -> Array:
    """Lumbar spinous process: a tall plate with a thick rear edge."""
    top, tip_top = (0.0, back - 1, 0.15 * h), (0.0, back - 30, -0.1 * h)
    foot, tip_foot = (0.0, back - 1, -0.8 * h), (0.0, back - 30, -1.1 * h)
    return union(
        plate(p, top, tip_top, foot, 3.3),
        plate(p, tip_top, foot, tip_foot, 3.3),
        capsule(p, tip_top, tip_foot, 4.0, 4.6),
        blend=2.0,
    )


def _cervical(p: Points, level: Level) -> Array:
    """C3 to C7: small body, wide canal, pillars, foramina of the vertebral artery."""
    y, half_width, half_depth = level.canal
    h, back = level.half_height, y - half_depth
    q = Points(np.abs(p.x), p.y, p.z)
    pillar = capsule(q, (half_width + 6, y + 4, h + 3), (half_width + 6, y - 3, -h - 4), 5.6, 5.6)
    pedicle = capsule(q, (0.8 * level.half_width, -4, 0), (half_width + 5, y + 2, 0), 4.0, 4.0)
    wing = ellipsoid(q, (level.half_width + 7, -2, -1), (8.5, 7.0, 5.0))
    lip = capsule(q, (level.half_width - 1, -2, h), (level.half_width, -2, h + 2.5), 2.5, 2.0)
    length = 33 if level.name == "C7" else 19
    spine = capsule(p, (0, back, -0.2 * h), (0, back - length, -0.9 * h - 3), 4.6, 3.4)
    fork = capsule(
        q, (0, back - length + 3, -0.9 * h - 2), (4, back - length - 3, -0.9 * h - 4), 3.2, 2.8
    )
    arch = union(
        _ring(p, level, 4.6, -0.9 * h, 0.6 * h), pillar, pedicle, wing, spine, fork, blend=2.0
    )
    artery = ellipse(q.x - level.half_width - 6.5, q.y + 1, 2.8, 2.8)
    solid = carve(union(_body(p, level), lip, arch, blend=1.5), artery, blend=0.5)
    return _with_canal(solid, p, level)


def _axis(p: Points, level: Level) -> Array:
    """C2: a cervical vertebra that carries the dens."""
    dens = capsule(p, (0, 0.5, 6), (0, 1.5, level.half_height + 17), 6.0, 4.6)
    q = Points(np.abs(p.x), p.y, p.z)
    shoulder = ellipsoid(q, (15, -3, 0.6 * level.half_height), (9, 8, 5))
    return union(_cervical(p, level), dens, shoulder, blend=2.0)


def _atlas(p: Points, level: Level) -> Array:
    """C1: a ring without body; two lateral masses between front and rear arches."""
    q = Points(np.abs(p.x), p.y, p.z)
    mass = ellipsoid(q, (20, -2, 0), (8.5, 10.5, 9.5))
    front = tube(q, [(18, 5, 0), (9, 10.5, 0), (0, 12.5, 0)], [4.5, 4.2, 4.6])
    rear = tube(q, [(22, -9, 0), (19, -22, 0), (9, -32, 0), (0, -34.5, -1)], [4.5, 3.6, 3.8, 4.4])
    wing = capsule(q, (24, -3, -1), (38, -5, -1), 5.5, 4.5)
    artery = ellipse(q.x - 30.5, q.y + 4, 2.9, 2.9)
    return carve(union(mass, front, rear, wing, blend=2.0), artery, blend=0.5)
