"""The skull: a hollow vault on a stepped base, face with orbits and sinuses; the jaw apart.

Also the air-filled and fatty spaces of the head, which `tissue` paints before the bones.
"""

from __future__ import annotations

import numpy as np

from voxtrail.datasets.phantom.bone import Bone
from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.shapes import (
    Array,
    Points,
    Vec,
    box,
    capsule,
    carve,
    common,
    ellipse,
    ellipsoid,
    plate,
    profile,
    rotation,
    tube,
    union,
)

CENTRE: Vec = (0.0, 8.0, 752.0)  # of the vault, atlas mm
_PIVOT: Vec = (0.0, -12.0, 684.0)  # the head nods over C1


def in_head(p: Points, physique: Physique) -> Points:
    """Coordinates that nod with the head; zero at the centre of the vault."""
    turned = p.moved(_PIVOT).turned(rotation(*physique.nod))
    offset = (CENTRE[0] - _PIVOT[0], CENTRE[1] - _PIVOT[1], CENTRE[2] - _PIVOT[2])
    return turned.moved(offset)


def brain_case(q: Points) -> Array:
    """Outer surface of the vault, cut off below by the three steps of the skull base."""
    vault = ellipsoid(q, (0, 0, 0), (73.0, 92.0, 77.0))
    floor = profile(q.y, (-60, 2, 14, 34, 46, 80), (-58, -56, -36, -34, -12, -6))
    bowl = 6 * np.minimum((q.x / 55) ** 2, 1.5)
    return common(vault, (floor + bowl - q.z) * 0.85, blend=14.0)


def skull(physique: Physique) -> Bone:
    """Vault, base, orbits, cheek bones and upper jaw."""

    def distance(p: Points) -> Array:
        q = in_head(p, physique)
        h = Points(np.abs(q.x), q.y, q.z)  # paired parts
        case = brain_case(q)
        thick = 6.0 + 2.0 * np.tanh(-q.y / 60)  # the back of the vault is thicker
        vault = np.abs(case + thick / 2) - thick / 2
        solid = union(vault, _base(h), _face(h), blend=3.0)
        foramen_magnum = common(ellipse(q.x, q.y + 29, 14.5, 17.0), q.z + 38, blend=2.0)
        return carve(solid, foramen_magnum, _orbit(h), air_spaces(q), blend=1.5)

    return Bone(
        name="skull",
        low=(-100, -108, 615),
        high=(100, 135, 850),
        distance=distance,
        cortex_mm=1.8,
        marrow_hu=330.0,
        gap_mm=1.8,
    )


def _base(h: Points) -> Array:
    """Petrous ridges, mastoids, condyles and the body of the sphenoid."""
    petrous = capsule(h, (62, -22, -36), (15, 6, -37), 12.0, 7.0)
    mastoid = capsule(h, (56, -22, -42), (51, -20, -66), 12.5, 6.0)
    condyle = ellipsoid(h, (19, -17, -59), (7.5, 12, 8))
    clivus = capsule(h, (0, -9, -56), (0, 10, -36), 8.0, 10.0)
    sphenoid = box(h, (0, 24, -28), (17, 15, 15), 5.0)
    # Greater wing: the side wall between orbit and temple.
    wing = plate(h, (60, 22, -34), (56, 38, 0), (34, 32, -30), 2.5)
    return union(petrous, mastoid, condyle, clivus, sphenoid, wing, blend=5.0)


def _face(h: Points) -> Array:
    """Orbital walls, nose, cheek bones, zygomatic arches, palate and upper teeth."""
    orbit_wall = carve(
        ellipsoid(h, (31, 60, -23), (22.5, 30, 21)), ellipsoid(h, (31, 64, -23), (19.5, 31, 17.5))
    )
    lateral_rim = capsule(h, (51, 62, -8), (50, 60, -40), 4.6, 5.5)
    upper_rim = tube(h, [(51, 64, -8), (32, 80, -2), (14, 86, -8)], [4.6, 5.0, 5.5])
    cheek = ellipsoid(h, (46, 62, -47), (12, 12, 10))
    arch = tube(
        h, [(52, 56, -47), (66, 34, -46), (69, 14, -44), (63, -2, -41)], [5.5, 4.0, 3.8, 5.0]
    )
    brow = capsule(h, (0, 85, 0), (26, 82, 2), 7.5, 6.0)
    # The upper jaw is a rounded prism that narrows downwards.
    taper = 1 + np.clip(-66 - h.z, -20, 30) / 110
    prism = Points(h.x * taper, 62 + (h.y - 62) * np.sqrt(taper), h.z)
    jaw = box(prism, (0, 60, -66), (35, 25, 22), 14.0)
    nasal = plate(h, (3, 92, -14), (8, 86, -30), (3, 100, -34), 2.0)
    septum = plate(h, (0, 88, -22), (0, 82, -78), (0, 28, -45), 1.3)
    palate = box(h, (0, 56, -84), (22, 25, 2.6), 2.0)
    gum = tube(h, [(25, 36, -88), (24, 56, -89), (17, 74, -89), (0, 84, -89)], [7.0, 7.0, 6.5, 6.5])
    teeth = tube(
        h, [(25, 40, -98), (24, 56, -99), (17, 75, -100), (0, 84, -101)], [4.6, 4.6, 4.0, 3.8]
    )
    pterygoid = plate(h, (14, 26, -42), (17, 22, -80), (17, 36, -76), 1.8)
    shell = carve(jaw, _nose_and_sinus(h), blend=2.0)
    return union(
        orbit_wall,
        brow,
        lateral_rim,
        upper_rim,
        cheek,
        arch,
        shell,
        nasal,
        septum,
        palate,
        gum,
        teeth,
        pterygoid,
        blend=2.5,
    )


def _nose_and_sinus(h: Points) -> Array:
    maxillary = ellipsoid(h, (24, 58, -64), (11.5, 17, 16))
    passage = box(h, (0, 66, -60), (10.5, 40, 20), 7.0)
    return union(maxillary, passage)


def _orbit(h: Points) -> Array:
    """Model the opening of the orbit; its depth is a cone towards the sphenoid."""
    return union(
        ellipsoid(h, (33, 74, -23), (17.5, 26, 16)),
        capsule(h, (30, 62, -23), (14, 34, -22), 13, 3),
        blend=4.0,
    )


def air_spaces(q: Points) -> Array:
    """Nose, paranasal sinuses and mastoid cells, in head coordinates."""
    h = Points(np.abs(q.x), q.y, q.z)
    cells = [ellipsoid(h, (55, -21 - 2 * n, -48 - 7 * n), (4.0, 4.5, 2.8)) for n in range(3)]
    maxillary = ellipsoid(h, (24, 58, -64), (10.5, 16, 15))
    sphenoidal = ellipsoid(h, (7, 25, -27), (6.0, 10, 9))
    frontal = ellipsoid(h, (10, 81, 0), (8, 4.2, 8))
    ethmoid = box(h, (5.5, 50, -22), (4.5, 18, 9), 3.0)
    return union(*cells, maxillary, sphenoidal, frontal, ethmoid)


def nasal_passage(q: Points) -> Array:
    """Air between the turbinates and down to the throat, in head coordinates."""
    h = Points(np.abs(q.x), q.y, q.z)
    upper = box(h, (5.5, 66, -56), (2.4, 34, 19), 2.0)
    lower = box(h, (7.0, 62, -76), (3.0, 34, 3.5), 2.5)
    throat = capsule(q, (0, 20, -62), (0, 14, -120), 8.0, 6.5)
    return union(upper, lower, throat, blend=2.0)


def mandible(physique: Physique) -> Bone:
    """Model the lower jaw, a bone that the skull class leaves out."""

    def distance(p: Points) -> Array:
        q = in_head(p, physique)
        h = Points(np.abs(q.x), q.y, q.z)
        joint = ellipsoid(h, (52, 2, -50), (8.5, 4.5, 6))
        ramus = plate(h, (51, 2, -54), (47, 6, -104), (47, 30, -96), 3.4)
        coronoid = plate(h, (51, 2, -62), (47, 30, -62), (47, 30, -98), 2.6)
        body = tube(
            h, [(46, 10, -104), (42, 34, -110), (27, 62, -116), (0, 76, -118)], [7.0, 8.0, 8.0, 8.5]
        )
        teeth = tube(
            h, [(28, 40, -106), (24, 56, -107), (16, 70, -107), (0, 77, -107)], [5.0, 5.0, 4.2, 4.0]
        )
        return union(joint, ramus, coronoid, body, teeth, blend=4.0)

    return Bone(None, (-80, -45, 610), (80, 130, 720), distance, cortex_mm=2.6, marrow_hu=250.0)
