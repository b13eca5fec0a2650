"""Hip bone, sacrum (with S1) and femur, and the knee's unlabelled neighbours."""

from __future__ import annotations

import numpy as np

from voxtrail.datasets.phantom.bone import Bone, side_box, side_name
from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.shapes import (
    Array,
    Points,
    Vec,
    ball,
    capsule,
    carve,
    common,
    ellipse,
    ellipsoid,
    fade,
    profile,
    rotation,
    tube,
    union,
)

HEAD_CENTRE: Vec = (86.0, 0.0, 0.0)  # of the right femur, atlas mm
_HEAD_RADIUS = 24.0

# The sacrum bends round an axis in front of it.
_ARC_CENTRE_YZ = (38.0, 20.0)
_ARC_RADIUS = 84.0
_ARC_START = np.radians(138.0)  # of the promontory, from the front, through the head
_SACRUM_LENGTH = 112.0
_S1_LENGTH = 30.0


def femur(physique: Physique, side: int) -> Bone:
    """Head, neck, trochanters, bowed shaft and condyles."""

    def distance(p: Points) -> Array:
        q = _thigh(p, physique, side)
        head = ball(q, (0, 0, 0), _HEAD_RADIUS)
        neck = capsule(q, (6, 0, -4), (42, -5, -30), 16.0, 16.5)
        greater = ellipsoid(q, (56, -11, -20), (12.5, 18, 21))
        lesser = ellipsoid(q, (35, -22, -66), (8.5, 8.5, 13))
        shaft = tube(
            q,
            [
                (42, -5, -32),
                (48, -5, -62),
                (46, 1, -110),
                (40, 5, -190),
                (31, 3, -300),
                (26, -1, -350),
                (24, -4, -386),
            ],
            [20.5, 17.5, 14.5, 13.8, 14.2, 18.5, 25.0],
            blend=8.0,
        )
        condyles = union(
            ellipsoid(q, (4, -12, -400), (19, 30, 21)), ellipsoid(q, (45, -12, -399), (18, 31, 21))
        )
        notch = ellipsoid(q, (24, -32, -406), (8.5, 24, 21))
        solid = union(head, neck, greater, lesser, shaft, blend=5.0)
        return carve(union(solid, condyles, blend=9.0), notch, blend=3.0)

    low, high = side_box(side, (12, -75, -440), (200, 60, 34))
    return Bone(
        name=f"femur_{side_name(side)}",
        low=low,
        high=high,
        distance=distance,
        cortex_mm=1.4,
        marrow_hu=220.0,
        shaft=lambda p: _in_shaft(_thigh(p, physique, side).z),
        gap_mm=2.5,
    )


def _thigh(p: Points, physique: Physique, side: int) -> Points:
    turn = rotation(0.0, physique.side(physique.leg_turn, side), 0.0)
    return p.mirrored(side).moved(HEAD_CENTRE).turned(turn)


def _in_shaft(z: Array) -> Array:
    return fade(z, -88, 12) * fade(-z, 345, 14)


def knee(physique: Physique, side: int) -> list[Bone]:
    """Tibia and patella: bones that TotalSegmentator does not label."""

    def tibia(p: Points) -> Array:
        q = _thigh(p, physique, side)
        return union(
            ellipsoid(q, (24, -10, -442), (38, 27, 17)),
            tube(q, [(24, -8, -448), (24, -4, -490), (22, -4, -620)], [26.0, 17.0, 13.0]),
            blend=8.0,
        )

    def patella(p: Points) -> Array:
        return ellipsoid(_thigh(p, physique, side), (25, 42, -385), (22, 10, 22))

    low, high = side_box(side, (12, -75, -640), (230, 60, -410))
    cap_low, cap_high = side_box(side, (30, 10, -430), (220, 75, -345))
    return [
        Bone(None, low, high, tibia, cortex_mm=2.0, shaft=_tibial_shaft, gap_mm=3.0),
        Bone(None, cap_low, cap_high, patella, cortex_mm=1.8, gap_mm=3.0),
    ]


def _tibial_shaft(p: Points) -> Array:
    return fade(p.z, -480, 12)


def hip(side: int) -> Bone:
    """Iliac wing, acetabulum, ischium and pubis round the obturator foramen."""

    def distance(p: Points) -> Array:
        q = p.mirrored(side)
        cup = common(
            ball(q, HEAD_CENTRE, _HEAD_RADIUS + 9.5),
            # The cup opens outwards, forwards and down.
            0.80 * (q.x - HEAD_CENTRE[0]) + 0.22 * q.y - 0.56 * q.z - 5,
            blend=4.0,
        )
        ischium = tube(
            q,
            [(80, -24, -14), (70, -40, -42), (60, -44, -72), (52, -36, -88)],
            [17.0, 13.5, 15.5, 10.0],
        )
        lower_ramus = tube(q, [(52, -34, -88), (34, -2, -72), (15, 30, -54)], [8.0, 5.6, 7.0])
        upper_ramus = tube(q, [(74, 18, 6), (48, 38, -4), (22, 50, -20)], [13.0, 8.2, 8.5])
        pubis = ellipsoid(q, (13, 46, -36), (11, 10, 20))
        ring = union(ischium, lower_ramus, upper_ramus, pubis, blend=4.0)
        return union(_ilium(q), cup, ring, blend=6.0)

    low, high = side_box(side, (0, -118, -108), (152, 78, 150))
    return Bone(
        name=f"hip_{side_name(side)}",
        low=low,
        high=high,
        distance=distance,
        cortex_mm=1.2,
        marrow_hu=170.0,
        gap_mm=2.4,
    )


def _ilium(q: Points) -> Array:
    """Model the wing: a hollow fan, thick at its crest, sacral face and socket."""
    # Its middle surface: outwards with height and towards the front, S-shaped from the back.
    front = np.tanh((q.y + 28) / 46)
    flare = np.clip((q.z - 5) / 115, 0, 1.1)
    middle = 77 + 9 * front + flare * (9 + 50 * front) + 5 * np.sin(q.y / 19) * flare
    slope = np.sqrt(1 + ((9 + 50 * flare) / 46 * (1 - front**2)) ** 2 + 0.25**2)
    outline = common(
        ellipse(q.y + 16, q.z - 30, 76.0, 96.0),  # crest
        0.96 * (q.y - 31) - 0.28 * (q.z - 12) + 5 * np.exp(-(((q.z - 56) / 11) ** 2)),
        -(q.z + 10),
        blend=7.0,
    )
    notch = ellipse(q.y + 72, q.z - 2, 42.0, 40.0)  # greater sciatic notch
    outline = carve(outline, notch, blend=4.0)
    rim = np.exp(-((outline / 9) ** 2)) * fade(-q.z, -55, 8)
    sacral = np.exp(-(((q.y + 66) / 24) ** 2 + ((q.z - 62) / 34) ** 2))
    socket = np.exp(-((q.z / 34) ** 2))
    half = 3.2 + 3.4 * rim + 7.5 * sacral + 8.0 * socket
    return common(np.abs(q.x - middle) / slope - half, outline, blend=4.0)


def sacrum() -> Bone:
    """Model a curved wedge with canal and four pairs of foramina; S1 gets its own class."""

    def distance(p: Points) -> Array:
        s, n = _along_sacrum(p)
        x = np.abs(p.x)
        half_width = profile(s, (-12, 8, 35, 60, 85, 112), (44, 55, 53, 38, 26, 12))
        half_depth = profile(s, (0, 40, 80, 112), (13.0, 10.5, 7.5, 4.5))
        sweep = 9.0 * (x / 50) ** 2  # the wings lie further back than the bodies
        wing = common(np.abs(n - 3 - sweep) - half_depth, x - half_width, blend=8.0)
        bodies = ellipse(
            x,
            n + 1,
            profile(s, (0, 112), (26.0, 11.0)),
            profile(s, (0, 40, 112), (17.0, 12.0, 5.0)),
        )
        rear = ellipse(
            x,
            n - 19 + 0.07 * s,
            profile(s, (0, 112), (21.0, 9.0)),
            profile(s, (0, 112), (13.0, 5.0)),
        )
        crest = common(
            x - 3.2, n - profile(s, (0, 25, 60, 95), (34.0, 37.0, 27.0, 10.0)), -n + 8, blend=2.0
        )
        solid = union(wing, bodies, rear, crest, blend=4.0)
        solid = common(solid, -s + 0.10 * x, s - _SACRUM_LENGTH, blend=4.0)
        canal = ellipse(
            x, n - 19 + 0.09 * s, profile(s, (0, 95), (13.0, 5.0)), profile(s, (0, 95), (6.5, 3.2))
        )
        return carve(solid, canal, _sacral_foramina(x, s), blend=1.5)

    def first_segment(p: Points) -> Array:
        s, _ = _along_sacrum(p)
        return common(s - _S1_LENGTH, np.abs(p.x) - 27)

    return Bone(
        name="sacrum",
        low=(-66, -100, -50),
        high=(66, 20, 112),
        distance=distance,
        cortex_mm=0.9,
        marrow_hu=120.0,
        split=("vertebrae_S1", first_segment),
    )


def _along_sacrum(p: Points) -> tuple[Array, Array]:
    """Arc length from the promontory and depth behind the middle of the bodies, mm."""
    v, w = p.y - _ARC_CENTRE_YZ[0], p.z - _ARC_CENTRE_YZ[1]
    bearing = np.mod(np.arctan2(w, v), 2 * np.pi)
    return _ARC_RADIUS * (bearing - _ARC_START), np.sqrt(v**2 + w**2) - _ARC_RADIUS


def _sacral_foramina(x: Array, s: Array) -> Array:
    holes = [
        ellipse(x - centre, s - along, radius, radius)
        for centre, along, radius in ((21, 31, 5.2), (18, 52, 4.8), (15, 71, 4.2), (12, 88, 3.6))
    ]
    return union(*holes)
