"""The outside of the patient: skin, and how deep the fat below it goes."""

from __future__ import annotations

import numpy as np

from voxtrail.datasets.phantom import pelvis, shoulder
from voxtrail.datasets.phantom.head import in_head
from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.ribcage import chest_wall
from voxtrail.datasets.phantom.shapes import (
    Array,
    Points,
    Vec,
    capsule,
    common,
    ellipse,
    ellipsoid,
    profile,
    rotation,
    tube,
    union,
)

_REFERENCE_FAT_MM = 14.0  # included in the outlines below

# Trunk and neck by height: half width, half depth, centre y.
_TRUNK_Z = (-100, -40, 30, 110, 180, 250, 330, 400, 460, 500, 525, 548, 575, 700)
_TRUNK_A = (140, 168, 180, 172, 156, 154, 162, 168, 178, 180, 165, 118, 64, 60)
_TRUNK_B = (85, 110, 114, 112, 108, 111, 120, 124, 120, 108, 92, 76, 66, 62)
_TRUNK_Y = (-8, -8, -10, -8, -6, -12, -22, -28, -30, -34, -36, -30, -20, -12)


def skin(p: Points, physique: Physique) -> Array:
    """Signed distance to the outer surface of trunk, legs, arms, neck and head."""
    extra = physique.fat_mm - _REFERENCE_FAT_MM
    on_trunk = profile(p.z, (-450, -200, 0, 500, 580), (0.4, 0.8, 1.0, 0.7, 0.2))
    parts = [_trunk(p) - extra * on_trunk]
    for side in (1, -1):
        parts.append(_leg(p.mirrored(side), physique, side) - extra * on_trunk)
        parts.append(_arm(p.mirrored(side), physique, side) - 0.4 * extra)
        chest = common(chest_wall(p.mirrored(side)).depth - 15, 215 - p.z, p.z - 535, blend=20.0)
        parts.append(chest - 0.5 * np.maximum(extra, 0))
        # The slope of the trapezius, from the neck to the acromion.
        slope = capsule(p.mirrored(side), (34, -44, 582), (150, -46, 516), 30.0, 30.0)
        parts.append(slope - 0.3 * extra)
    parts.append(_head(in_head(p, physique)))
    return union(*parts, blend=16.0)


def fat_depth(p: Points, physique: Physique) -> Array:
    """Thickness of the subcutaneous fat, atlas mm."""
    knots, share = (-450, -200, -40, 60, 500, 560, 620), (0.5, 0.8, 1.1, 1.0, 0.7, 0.4, 0.25)
    # More on belly and buttocks than on the flanks.
    around = 0.75 + 0.45 * np.abs(np.tanh(p.y / 70))
    return np.maximum(physique.fat_mm * profile(p.z, knots, share) * around, 2.5)


def _trunk(p: Points) -> Array:
    a, b = profile(p.z, _TRUNK_Z, _TRUNK_A), profile(p.z, _TRUNK_Z, _TRUNK_B)
    y = p.y - profile(p.z, _TRUNK_Z, _TRUNK_Y)
    # Flanks and back are flatter than an ellipse's: bulge between its axes.
    bulge = np.minimum(28 * ((p.x / a) * (y / b)) ** 2, 8)
    return common(ellipse(p.x, y, a, b) - bulge, -78 - p.z, p.z - 690, blend=24.0)


def _leg(h: Points, physique: Physique, side: int) -> Array:
    turn = rotation(0.0, physique.side(physique.leg_turn, side), 0.0)
    q = h.moved(pelvis.HEAD_CENTRE).turned(turn)
    path: list[Vec] = [(8, -4, -40), (14, -2, -160), (20, 0, -330), (24, 0, -410), (24, -8, -600)]
    return tube(q, path, [86, 80, 66, 60, 52], blend=10.0)


def _arm(h: Points, physique: Physique, side: int) -> Array:
    turn = rotation(0.0, physique.side(physique.arm_turn, side), 0.0)
    q = h.moved(shoulder.HEAD_CENTRE).turned(turn)
    path: list[Vec] = [(-14, -16, 8), (2, -6, -20), (10, -2, -80), (10, 0, -170), (8, 2, -320)]
    return tube(q, path, [46, 50, 50, 46, 38], blend=8.0)


def _head(q: Points) -> Array:
    cap = ellipsoid(q, (0, 0, 0), (80, 99, 85))
    face = common(ellipsoid(q, (0, 26, -62), (77, 82, 84)), q.z - 10, blend=20.0)
    nose = capsule(q, (0, 92, -20), (0, 106, -46), 6, 12)
    return union(cap, face, nose, blend=14.0)
