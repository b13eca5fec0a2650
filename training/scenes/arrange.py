"""Sets a target out among look-alikes and neighbours: `make_scene`.

Look-alikes decide whether a model that follows by appearance loses its target: rods side by side
of which a slice cuts a row of small sections, blobs in a row that touch, a plate that lies on
another, a ball in its socket, organs packed side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from training.scenes import kinds
from training.scenes.materials import (
    BACKGROUNDS_HU,
    BONES,
    METAL,
    Material,
    Surroundings,
    bone,
    enhanced,
    soft,
)
from training.scenes.shapes import Carved, FloatArray, Placed, Shape, span_mm

IDENTITY = np.eye(3, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Thing:
    """An object of a scene: where it is, and of what."""

    shape: Shape
    material: Material


@dataclass(frozen=True, eq=False)
class Scene:
    """A target among other things.

    Parameters
    ----------
    things
        The target first.
    surroundings
        What lies between them.
    around_hu
        The two tissues between them.
    gap_mm
        Dark gap between things that touch; 0 where one goes over into the other.
    fused
        Whether touching things have no rim between them.
    seed
        Of textures.
    """

    things: tuple[Thing, ...]
    surroundings: Surroundings
    around_hu: tuple[float, float]
    gap_mm: float
    fused: bool
    seed: int

    @property
    def target(self) -> Thing:
        """What is to be segmented."""
        return self.things[0]


@dataclass(frozen=True)
class SceneKind:
    """What a scene is to be like; None leaves it to chance.

    Parameters
    ----------
    layout
        "rods", "row", "pair", "organs" or "crowd".
    contrast_hu
        Of a soft target against what surrounds it. None makes soft targets only where the layout
        is "organs".
    target
        Name among `kinds.KINDS`.
    bone
        How a target of bone is seen: a name among `materials.BONES`.
    """

    layout: str | None = None
    contrast_hu: float | None = None
    target: str | None = None
    bone: str = "plain"


LAYOUTS = {"rods": 0.2, "row": 0.2, "pair": 0.15, "organs": 0.2, "crowd": 0.25}
"""How often each layout is drawn."""


def make_scene(seed: int, kind: SceneKind | None = None) -> Scene:
    """Draw a scene; equal arguments give equal scenes."""
    kind = kind or SceneKind()
    rng = np.random.default_rng(seed)
    drawn = str(rng.choice(list(LAYOUTS), p=list(LAYOUTS.values())))
    layout = kind.layout or drawn
    surroundings: Surroundings = rng.choice(
        ["muscle", "fat", "mixed", "lung"], p=[0.4, 0.2, 0.3, 0.1]
    )
    if layout == "organs":
        surroundings = "muscle"
    first, second, _ = BACKGROUNDS_HU[surroundings]
    around = (float(rng.uniform(*first)), float(rng.uniform(*second)))
    make = {"rods": _rods, "row": _row, "pair": _pair, "organs": _organs, "crowd": _crowd}[layout]
    shapes = make(rng, kind)
    materials = _materials(rng, layout, kind, len(shapes), around[0])
    things = [Thing(shape, material) for shape, material in zip(shapes, materials, strict=True)]
    things += _bystanders(rng, things[0].shape)
    touching = rng.random()
    return Scene(
        things=tuple(things),
        surroundings=surroundings,
        around_hu=around,
        gap_mm=0.0 if touching < 0.45 else float(rng.uniform(0, 2.5)),
        fused=touching < 0.2,
        seed=int(rng.integers(2**31)),
    )


def _drawn_kind(rng: Generator, kind: SceneKind, among: list[str]) -> tuple[Shape, float]:
    """Return a solid of a kind among those named, and its size."""
    shares = np.array([kinds.KINDS[name][1] for name in among])
    name = str(rng.choice(among, p=shares / shares.sum()))
    make, _, (least, greatest) = kinds.KINDS[kind.target or name]
    size = float(np.exp(rng.uniform(np.log(least), np.log(greatest))))
    return make(rng, size), size


def _copy(rng: Generator, shape: Shape, offset: FloatArray, alike: float) -> Shape:
    """Return a shape much like another, moved: turned by about ``alike`` radians and scaled."""
    turn = _small_rotation(rng, alike)
    scale = float(np.exp(rng.normal(0, 0.08)))
    centre = shape.centre
    placed = centre + offset - turn @ centre * np.float32(scale)
    return Placed(shape, turn, scale, placed.astype(np.float32))


def _small_rotation(rng: Generator, angle: float) -> FloatArray:
    """Return a rotation (3, 3) by about ``angle`` radians (Rodrigues' formula)."""
    axis, theta = kinds.direction(rng), rng.normal(0, angle)
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned = np.eye(3) + np.sin(theta) * skew + (1 - np.cos(theta)) * skew @ skew
    return turned.astype(np.float32)


def _rods(rng: Generator, kind: SceneKind) -> list[Shape]:
    """Return rods side by side that run obliquely through the slices."""
    size = float(np.exp(rng.uniform(np.log(30), np.log(120))))
    rod = kinds.rod(rng, size, float(np.clip(rng.uniform(3, 9) / size, 0.03, 0.2)))
    ends = rod.nodes[-1] - rod.nodes[0]
    # From nearly in the plane of the slices, where a section moves by its own width, to steep.
    tilt = np.deg2rad(rng.uniform(8, 60))
    heading = rng.uniform(0, 2 * np.pi)
    wanted = np.array(
        [np.cos(tilt) * np.cos(heading), np.cos(tilt) * np.sin(heading), np.sin(tilt)]
    )
    turned = _turning(ends / np.linalg.norm(ends), wanted)
    target = Placed(rod, turned, 1.0, np.zeros(3, dtype=np.float32))
    away = np.array([0.0, 0.0, 1.0]) + 0.4 * rng.standard_normal(3)
    apart: FloatArray = (away / np.linalg.norm(away)).astype(np.float32)
    # Copies along the z axis cross a slice beside each other, by their distance over the slope.
    step = rng.uniform(8, 26)
    shapes: list[Shape] = [target]
    for place in (-3, -2, -1, 1, 2, 3):
        if rng.random() < 0.8:
            shapes.append(_copy(rng, target, apart * np.float32(place * step), 0.06))
    return shapes


def _turning(source: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return a rotation (3, 3) that takes one unit vector to another."""
    middle = source + wanted
    length = float(middle @ middle)
    if length < 1e-6:
        return np.diag([-1.0, -1.0, 1.0]).astype(np.float32)
    # Half a turn about the line halfway takes the one to the other; half a turn about the source
    # before it keeps the source and makes any pair of solids as likely as its mirror image.
    half = 2 * np.outer(middle, middle) / length - np.eye(3)
    first = 2 * np.outer(source, source) - np.eye(3)
    return (half @ first).astype(np.float32)


def _row(rng: Generator, kind: SceneKind) -> list[Shape]:
    """Return like solids in a row that touch or nearly do; often along the stack."""
    target, _ = _drawn_kind(rng, kind, ["blob", "ring", "blob", "lump"])
    along = _sideways(rng)
    if rng.random() < 0.5:  # above and below, so that the next one comes into view at the ends
        along = np.array([*rng.normal(0, 0.4, 2), 1.0], dtype=np.float32)
        along /= np.linalg.norm(along)
    low, high = span_mm(target, along, rng)
    step = (high - low) * rng.uniform(0.85, 1.05) + rng.uniform(-1, 3)
    shapes: list[Shape] = [target]
    for place in (-2, -1, 1, 2):
        if rng.random() < 0.9:
            shapes.append(_copy(rng, target, along * np.float32(place * step), 0.12))
    return shapes + _scattered(rng, target, int(rng.integers(0, 3)))


def _pair(rng: Generator, kind: SceneKind) -> list[Shape]:
    """Return a solid that lies against another: a ball in a socket, a plate along a plate."""
    target, size = _drawn_kind(rng, kind, ["plate", "shell", "blob", "bone-like rod", "branching"])
    ball = kinds.lump(rng, size * rng.uniform(0.3, 0.8))
    socketed = _against(rng, target, ball, -0.7 * ball.reach * rng.random())
    if rng.random() < 0.5:  # whichever is the target, the other one is cut to fit
        shapes: list[Shape] = [target, Carved(socketed, [target])]
    else:
        shapes = [Carved(target, [socketed]), socketed]
    if rng.random() < 0.5:
        mirrored = np.diag(np.where(np.arange(3) == rng.integers(2), -1.0, 1.0))
        twin = Placed(target, mirrored.astype(np.float32), 1.0, np.zeros(3, dtype=np.float32))
        shapes.append(_against(rng, target, twin, rng.uniform(-2, 12)))
    return shapes + _scattered(rng, shapes[0], int(rng.integers(0, 3)))


def _organs(rng: Generator, kind: SceneKind) -> list[Shape]:
    """Return lumps packed side by side."""
    target, size = _drawn_kind(rng, kind, ["lump", "lump", "branching", "rod", "shell"])
    shapes: list[Shape] = [target]
    for _ in range(rng.integers(3, 7)):
        other = kinds.lump(rng, size * rng.uniform(0.4, 1.2))
        shapes.append(_against(rng, target, other, rng.uniform(-0.3, 0.1) * size))
    return shapes


def _crowd(rng: Generator, kind: SceneKind) -> list[Shape]:
    """Return a solid of any kind, a few look-alikes and others around it."""
    target, _ = _drawn_kind(rng, kind, list(kinds.KINDS))
    shapes: list[Shape] = [target]
    for _ in range(rng.integers(0, 4)):
        zero = np.zeros(3, dtype=np.float32)
        twin = _copy(rng, target, zero, 0.4)
        shapes.append(_against(rng, target, twin, rng.uniform(-2, 10)))
    return shapes + _scattered(rng, target, int(rng.integers(0, 4)))


def _scattered(rng: Generator, target: Shape, count: int) -> list[Shape]:
    """Return solids of any kind around a target."""
    shapes: list[Shape] = []
    for _ in range(count):
        name = str(rng.choice([name for name, (_, share, _) in kinds.KINDS.items() if share]))
        other = kinds.KINDS[name][0](rng, target.reach * rng.uniform(0.2, 0.9))
        shapes.append(_against(rng, target, other, rng.uniform(-4, 20)))
    return shapes


def _sideways(rng: Generator) -> FloatArray:
    """Return a unit vector that lies mostly in the plane of the slices."""
    v = rng.standard_normal(3) * np.array([1.0, 1.0, 0.4])
    return (v / np.linalg.norm(v)).astype(np.float32)


def _against(rng: Generator, target: Shape, other: Shape, gap_mm: float) -> Shape:
    """Return a shape moved until it stands beside a target; a gap below 0 lets them overlap."""
    away = _sideways(rng)
    gap = span_mm(target, away, rng)[1] - span_mm(other, away, rng)[0] + gap_mm
    # Beside each other, not off to the side.
    across = target.centre - other.centre
    across = across - away * (away @ across)
    across += 0.3 * np.float32(target.reach) * rng.standard_normal(3).astype(np.float32)
    return Placed(other, IDENTITY, 1.0, (away * np.float32(gap) + across).astype(np.float32))


def _materials(
    rng: Generator, layout: str, kind: SceneKind, count: int, around_hu: float
) -> list[Material]:
    """Return a material for each shape; the target's neighbours are of its kind, mostly."""
    contrast = kind.contrast_hu
    if contrast is None and layout == "organs":
        contrast = float(rng.uniform(20, 110) * rng.choice([-1, 1], p=[0.3, 0.7]))
    if contrast is not None:
        target = soft(rng, contrast, around_hu)
        others = [
            soft(rng, contrast + rng.uniform(-60, 60), around_hu)
            if rng.random() < 0.75
            else (enhanced(rng) if rng.random() < 0.5 else bone(rng))
            for _ in range(count - 1)
        ]
        return [target, *others]
    target = enhanced(rng) if rng.random() < 0.08 else bone(rng)
    if kind.bone != "plain":
        target = BONES[kind.bone](rng)
    alike = 0.0 if rng.random() < 0.3 else rng.uniform(0.05, 0.4)
    others = []
    for _ in range(count - 1):
        pick = rng.random()
        if pick < 0.8:
            others.append(target.near(rng, alike))
        elif pick < 0.9:
            others.append(enhanced(rng))
        else:
            others.append(soft(rng, rng.uniform(-40, 60), around_hu))
    return [target, *others]


def _bystanders(rng: Generator, target: Shape) -> list[Thing]:
    """Return vessels full of contrast medium and metal rods, now and then."""
    things: list[Thing] = []
    for chance, material, slender in ((0.2, enhanced(rng), 0.12), (0.08, METAL, 0.05)):
        if rng.random() < chance:
            other = kinds.rod(rng, target.reach * rng.uniform(0.5, 1.2), slender)
            near = kinds.direction(rng) * np.float32(target.reach * rng.uniform(0.2, 0.9))
            place = (target.centre + near).astype(np.float32)
            things.append(Thing(Placed(other, IDENTITY, 1.0, place), material))
    return things
