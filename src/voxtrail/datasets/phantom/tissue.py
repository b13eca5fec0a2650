"""Everything inside the patient that is not bone: fat, muscle, lungs, guts, vessels, brain.

Painted before the bones, coarsest first. Soft tissue gives the bones their surroundings;
none of it is labelled. Smooth surfaces are sampled at every second voxel and interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voxtrail.datasets.phantom import head
from voxtrail.datasets.phantom.canvas import Canvas
from voxtrail.datasets.phantom.frame import doubled
from voxtrail.datasets.phantom.outline import fat_depth, skin
from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.ribcage import cartilage, chest_wall
from voxtrail.datasets.phantom.shapes import (
    Array,
    Points,
    Vec,
    capsule,
    carve,
    common,
    ellipse,
    ellipsoid,
    profile,
    rotation,
    tube,
    union,
)
from voxtrail.datasets.phantom.spine import course_y, levels

FAT_HU, MUSCLE_HU, SKIN_HU = -100.0, 52.0, 25.0
_LUNG_HU, _GAS_HU, _TABLE_HU, _CARTILAGE_HU = -860.0, -950.0, -350.0, 95.0

# The room for guts by height: half width, half depth and centre y.
_ROOM_Z = (-40, 0, 60, 110, 200, 300)
_ROOM_A = (30, 56, 80, 110, 122, 120)
_ROOM_B = (40, 52, 62, 72, 74, 78)
_ROOM_Y = (2, 6, 12, 22, 26, 16)
_BOWEL_LOOPS = 34


@dataclass(frozen=True)
class Organ:
    """An ellipsoid of even HU, atlas mm; `turn` (radians) tips it sideways."""

    centre: Vec
    radii: Vec
    hu: float
    turn: float = 0.0


def paint_tissue(canvas: Canvas, rng: np.random.Generator) -> None:
    """Paint the table and the patient without bones."""
    frame, physique = canvas.frame, canvas.frame.physique
    _paint_table(canvas)
    surface = skin(frame.coarse.points, physique)
    lean = surface + fat_depth(frame.coarse.points, physique)
    _paint_wall(canvas, doubled(surface, frame.shape), doubled(lean, frame.shape))
    _paint_chest(canvas, lean)
    _paint_abdomen(canvas, lean, rng)
    _paint_vessels(canvas)
    _paint_head(canvas)


def _paint_table(canvas: Canvas) -> None:
    """Two thin carbon shells under the patient; they do not move with the body."""
    frame = canvas.frame
    x = frame.origin[0] + frame.spacing[0] * np.arange(frame.shape[0])
    y = frame.origin[1] + frame.spacing[1] * np.arange(frame.shape[1])
    below = -172.0 * frame.physique.size - 6 + (x[:, None] / 30) ** 2 - y[None, :]
    shells = union(np.abs(below) - 1.2, np.abs(below - 26) - 1.2)
    canvas.paint(frame.whole, np.broadcast_to(shells[:, :, None], frame.shape), _TABLE_HU)


def _paint_wall(canvas: Canvas, surface: Array, lean: Array) -> None:
    """Skin, subcutaneous fat, and muscles in layers parted by thin fat."""
    whole, fields = canvas.frame.whole, canvas.fields
    canvas.paint(whole, surface, SKIN_HU)
    canvas.paint(whole, surface + 2.0, FAT_HU + 5 * fields.texture)
    layers = np.sin(np.pi * lean / 38 + 1.2 * fields.fascia)
    parting = np.exp(-((layers / 0.13) ** 2)) * np.clip(-lean / 14, 0, 1)
    canvas.paint(whole, lean, MUSCLE_HU - 110 * parting + 8 * fields.texture)


def _paint_chest(canvas: Canvas, lean: Array) -> None:
    """Lungs above the diaphragm, fat below it, costal cartilage in front."""
    frame, physique = canvas.frame, canvas.frame.physique
    if frame.box((-150, -110, 230), (150, 110, 560)) is None:
        return
    p = frame.coarse.points
    spine = ellipse(p.x, p.y - course_y(p.z, physique.kyphosis) + 6, 24.0, 24.0)
    vessels = np.maximum(canvas.fields.texture - 1.1, 0) * 260
    for side in (1, -1):
        q = p.mirrored(side)
        dome = 385 - 4 * side - 95 * (((q.x - 62) / 72) ** 2 + ((q.y - 12) / 92) ** 2)
        inner = common(chest_wall(q).depth + 7.5, lean + 6, blend=4.0)
        belly = common(inner, p.z - dome, 225 - p.z, blend=4.0)
        lung = carve(common(inner, dome - p.z, p.z - 562, 7 - q.x, blend=5.0), spine, blend=6.0)
        canvas.paint(frame.whole, doubled(belly, frame.shape), FAT_HU)
        canvas.paint(frame.whole, doubled(lung, frame.shape), _LUNG_HU + vessels)
    spine_levels = levels(physique)
    for number in range(1, 11):
        for side in (1, -1):
            course = cartilage(number, side, spine_levels[f"T{number}"])
            _paint_tube(canvas, course, [5.5, 5.0, 4.5], _CARTILAGE_HU)


def _paint_abdomen(canvas: Canvas, lean: Array, rng: np.random.Generator) -> None:
    """Fat of the peritoneal room with solid organs, bowel and psoas in it."""
    frame, blood = canvas.frame, canvas.frame.physique.contrast_hu
    p = frame.coarse.points
    a, b = profile(p.z, _ROOM_Z, _ROOM_A), profile(p.z, _ROOM_Z, _ROOM_B)
    room = ellipse(p.x, p.y - profile(p.z, _ROOM_Z, _ROOM_Y), a, b)
    room = common(room, lean + 13, p.z - 255, -45 - p.z, blend=12.0)
    canvas.paint(frame.whole, doubled(room, frame.shape), FAT_HU + 6 * canvas.fields.texture)
    _paint_bowel(canvas, rng)
    for organ in (
        Organ((0, 26, 12), (36, 30, 26), 8.0),  # bladder
        Organ((0, -20, 5), (24, 18, 30), 45.0),  # uterus or prostate
        Organ((0, -46, 5), (9, 8, 16), _GAS_HU),  # rectum
        Organ((62, -22, 230), (27, 24, 52), 0.8 * blood + 5),  # kidneys
        Organ((-62, -22, 238), (27, 24, 52), 0.8 * blood + 5),
        Organ((66, 14, 312), (72, 74, 64), 62 + 0.3 * blood, 0.2),  # liver
        Organ((-92, -28, 318), (34, 44, 48), 52 + 0.3 * blood),  # spleen
        Organ((-50, 34, 326), (44, 40, 42), 25.0),  # stomach, and its gas
        Organ((-48, 58, 331), (26, 13, 24), _GAS_HU),
    ):
        _paint_organ(canvas, organ)
    _paint_psoas(canvas)


def _paint_bowel(canvas: Canvas, rng: np.random.Generator) -> None:
    """Loops of gut; every third holds gas above its contents."""
    for n in range(_BOWEL_LOOPS):
        z = rng.uniform(20, 300)
        a, b, y = (float(np.interp(z, _ROOM_Z, t)) for t in (_ROOM_A, _ROOM_B, _ROOM_Y))
        bearing, reach = rng.uniform(-0.6, np.pi + 0.6), np.sqrt(rng.uniform(0.05, 0.62))
        x, y = a * reach * np.cos(bearing), y + b * reach * np.sin(bearing)
        radius = rng.uniform(10, 19)
        radii = (radius * rng.uniform(0.8, 1.7), radius, radius * rng.uniform(0.8, 1.9))
        turn = rng.uniform(-0.6, 0.6)
        _paint_organ(canvas, Organ((x, y, z), radii, rng.uniform(15, 60), turn))
        if n % 3 == 0:
            bubble = (0.6 * radii[0], 0.4 * radius, 0.6 * radii[2])
            _paint_organ(canvas, Organ((x, y + 0.35 * radius, z), bubble, _GAS_HU, turn))


def _paint_psoas(canvas: Canvas) -> None:
    """Paint the muscles beside the lumbar spine, down to the lesser trochanters."""
    kyphosis = canvas.frame.physique.kyphosis
    top, middle, low = (float(course_y(z, kyphosis)) for z in (250.0, 190.0, 120.0))
    for side in (1, -1):
        path: list[Vec] = [
            (28 * side, top - 4, 250),
            (40 * side, middle - 4, 190),
            (54 * side, low + 8, 120),
            (76 * side, 22, 55),
            (90 * side, 34, 0),
            (96 * side, 8, -50),
        ]
        _paint_tube(canvas, path, [10, 18, 23, 20, 16, 12], MUSCLE_HU)


def _paint_vessels(canvas: Canvas) -> None:
    """Heart, great vessels and windpipe."""
    physique = canvas.frame.physique
    blood = physique.contrast_hu
    for organ in (
        Organ((-14, 22, 405), (58, 46, 50), 48.0, -0.4),
        Organ((-24, 24, 400), (34, 26, 32), blood, -0.4),
        Organ((10, 10, 425), (24, 24, 26), blood),
    ):
        _paint_organ(canvas, organ)
    for path, radii in _blood_vessels(physique):
        _paint_tube(canvas, path, radii, blood)
    windpipe: list[Vec] = [(0, -18, 468), (0, -12, 520), (0, 12, 580), (0, 18, 650)]
    _paint_tube(canvas, windpipe, [8.5, 8.5, 8.0, 8.0], _GAS_HU)


def _blood_vessels(physique: Physique) -> list[tuple[list[Vec], list[float]]]:
    """Courses and radii of aorta, venae cavae and the vessels of the neck."""

    def before_spine(x: float, z: float, ahead: float) -> Vec:
        return (x, float(course_y(z, physique.kyphosis)) + ahead, z)

    aorta = [before_spine(-6, 130, 28)]
    aorta += [before_spine(-14, z, 27) for z in (190, 250, 310)]
    aorta += [before_spine(-22, z, 22) for z in (370, 430, 460)]
    aorta += [(-14, -22, 482), (4, 8, 474), (4, 18, 440)]
    lower_cava = [before_spine(18, z, ahead) for z, ahead in ((130, 26), (220, 30), (330, 40))]
    right_neck: list[Vec] = [(22, 8, 430), (20, 14, 500), (44, 2, 545), (34, 4, 640)]
    left_neck: list[Vec] = [(-44, 2, 545), (-34, 4, 640)]
    return [
        (aorta, [9, 10, 11, 12, 12.5, 13, 13, 14, 15, 16]),
        (lower_cava, [11, 11, 12]),
        (right_neck, [10, 9, 6, 5]),
        (left_neck, [6, 5]),
    ]


def _paint_organ(canvas: Canvas, organ: Organ) -> None:
    c, reach = organ.centre, max(organ.radii)
    box = canvas.frame.box(
        (c[0] - reach, c[1] - reach, c[2] - reach), (c[0] + reach, c[1] + reach, c[2] + reach)
    )
    if box is None:
        return
    turn = rotation(0.0, organ.turn, 0.0)
    q = canvas.frame.points.within(box).moved(c).turned(turn)
    uneven = organ.hu + 5 * canvas.fields.texture[box]
    canvas.paint(box, ellipsoid(q, (0, 0, 0), organ.radii), uneven)


def _paint_tube(canvas: Canvas, path: list[Vec], radii: list[float], hu: float) -> None:
    reach = max(radii)
    low = [min(v[n] for v in path) - reach for n in range(3)]
    high = [max(v[n] for v in path) + reach for n in range(3)]
    box = canvas.frame.box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    if box is not None:
        canvas.paint(box, tube(canvas.frame.points.within(box), path, radii, blend=6.0), hu)


def _paint_head(canvas: Canvas) -> None:
    """Brain, eyes, and the air of nose, throat and sinuses."""
    box = canvas.frame.box((-105, -110, 600), (105, 140, 850))
    if box is None:
        return
    q = head.in_head(canvas.frame.points.within(box), canvas.frame.physique)
    h = Points(np.abs(q.x), q.y, q.z)
    case = head.brain_case(q)
    canvas.paint(box, case, 8.0)  # cerebrospinal fluid
    fissure = np.maximum(3 - h.x, 0) * (q.z > 10)
    folds = np.exp(-((canvas.fields.relief[box] / 0.25) ** 2))
    canvas.paint(box, case + 8 + fissure + 2.5 * folds, 35 + 4 * canvas.fields.texture[box])
    canvas.paint(box, capsule(h, (9, 30, 12), (14, -32, 16), 6, 8), 6.0)  # ventricles
    canvas.paint(box, ellipsoid(h, (33, 68, -23), (18, 26, 16)), FAT_HU)
    canvas.paint(box, ellipsoid(h, (33, 76, -23), (12.5, 12.5, 12.5)), 12.0)  # eyes
    canvas.paint(box, union(head.air_spaces(q), head.nasal_passage(q)), _GAS_HU)
