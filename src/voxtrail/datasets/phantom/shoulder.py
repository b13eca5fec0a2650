"""Clavicle, scapula and humerus of one side."""

from __future__ import annotations

import numpy as np

from voxtrail.datasets.phantom.bone import Bone, side_box, side_name
from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.shapes import (
    Array,
    Points,
    Vec,
    capsule,
    common,
    ellipsoid,
    fade,
    plate,
    rotation,
    tube,
    union,
)

HEAD_CENTRE: Vec = (165.0, -28.0, 495.0)  # of the right humerus, atlas mm
ELBOW_DROP_MM = 292.0


def clavicle(side: int) -> Bone:
    """Draw an S: forward over the first rib, then back to the acromion, flat at its end."""
    path: list[Vec] = [
        (21, 27, 510), (34, 34, 512), (52, 38, 514), (70, 35, 517), (88, 24, 520),
        (104, 8, 522), (118, -10, 524), (132, -23, 526), (146, -29, 528),
    ]  # fmt: skip
    radii = [11.0, 8.5, 7.0, 6.4, 6.2, 6.2, 6.4, 7.0, 6.6]

    def distance(p: Points) -> Array:
        q = p.mirrored(side)
        # Flatten the outer third: a distance stretched along z.
        flat = 1 + 0.45 * fade(-q.x, -118, 8)
        course = np.interp(q.x, [v[0] for v in path], [v[2] for v in path])
        return tube(Points(q.x, q.y, course + (q.z - course) * flat), path, radii) / flat**0.5

    low, high = side_box(side, (4, -48, 488), (162, 56, 548))
    return Bone(
        name=f"clavicula_{side_name(side)}",
        low=low,
        high=high,
        distance=distance,
        cortex_mm=1.9,
        marrow_hu=150.0,
        shaft=lambda p: 0.5 * np.exp(-(((np.abs(p.x) - 85) / 35) ** 4)),
        shaft_mm=1.0,
    )


def scapula(side: int) -> Bone:
    """Lay a thin triangle on the ribs, with spine, acromion, coracoid and glenoid."""
    neck: Vec = (129, -42, 500)
    upper: Vec = (80, -94, 533)
    medial: Vec = (73, -102, 503)
    lower: Vec = (92, -106, 394)
    spine_root: Vec = (118, -58, 507)
    acromion: Vec = (152, -68, 521)

    def distance(p: Points) -> Array:
        q = p.mirrored(side)
        # The blade is hollow towards the ribs: push its middle back by up to 5 mm.
        hollow = 5.0 * np.exp(-(((q.x - 98) / 22) ** 2 + ((q.z - 465) / 45) ** 2))
        b = Points(q.x, q.y + hollow, q.z)
        blade = union(plate(b, neck, upper, medial, 2.1), plate(b, neck, medial, lower, 2.1))
        rims = union(
            capsule(b, (127, -46, 488), lower, 6.0, 4.6),
            capsule(b, upper, lower, 2.9, 3.4),
            capsule(b, neck, upper, 3.6, 2.8),
        )
        fin = union(
            plate(q, (76, -104, 507), spine_root, acromion, 2.6),
            capsule(q, (76, -105, 507), acromion, 3.6, 6.0),
        )
        roof = union(
            plate(q, acromion, (176, -44, 526), (158, -26, 528), 4.4),
            capsule(q, acromion, (172, -50, 525), 5.5, 5.0),
        )
        beak = tube(
            q,
            [(128, -37, 503), (124, -14, 508), (131, 6, 505), (138, 16, 497)],
            [9.0, 7.5, 6.2, 5.0],
        )
        return union(blade, rims, fin, roof, beak, _glenoid(q), blend=3.0)

    low, high = side_box(side, (58, -122, 380), (190, 28, 548))
    return Bone(
        name=f"scapula_{side_name(side)}",
        low=low,
        high=high,
        distance=distance,
        cortex_mm=1.1,
        marrow_hu=160.0,
        gap_mm=2.5,
    )


def _glenoid(q: Points) -> Array:
    """Build the socket's block; the humeral head, rendered earlier, hollows it."""
    pear = ellipsoid(q, (137, -36, 492), (10, 13, 19))
    facing = (q.x - 144) * 0.95 + (q.y + 34) * 0.3
    return union(
        common(pear, facing, blend=2.0),
        capsule(q, (128, -42, 495), (136, -37, 493), 11, 11),
        blend=4.0,
    )


def humerus(physique: Physique, side: int) -> Bone:
    """Head, tubercles, surgical neck, shaft and the flare above the elbow."""
    hang = rotation(0.0, physique.side(physique.arm_turn, side), 0.0)

    def local(p: Points) -> Points:
        return p.mirrored(side).moved(HEAD_CENTRE).turned(hang)

    def distance(p: Points) -> Array:
        q = local(p)
        head = ellipsoid(q, (0, 0, 0), (23.0, 23.5, 24.0))
        greater = ellipsoid(q, (15, -4, 2), (11, 15, 19))
        lesser = ellipsoid(q, (9, 18, -8), (8, 7, 12))
        shaft = tube(
            q,
            [(6, -2, -14), (10, -2, -34), (12, -2, -62), (10, 0, -180), (8, 2, -262)],
            [18.5, 15.0, 11.8, 11.2, 11.5],
            blend=6.0,
        )
        elbow = ellipsoid(q, (6, 2, -284), (30, 9, 17))
        return union(head, greater, lesser, shaft, elbow, blend=5.0)

    low, high = side_box(side, (134, -76, 180), (290, 24, 530))
    return Bone(
        name=f"humerus_{side_name(side)}",
        low=low,
        high=high,
        distance=distance,
        cortex_mm=1.5,
        marrow_hu=180.0,
        shaft=lambda p: fade(local(p).z, -48, 9),
        shaft_mm=2.8,
        gap_mm=2.5,
    )
