"""What kinds of solids there are: each a function from random numbers and a size to a shape.

A size is half of a solid's extent in mm, about. Every solid lies around the origin, turned at
random. `KINDS` holds those that a scene's target may be.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from training.scenes.shapes import Bent, Carved, FloatArray, Placed, Shape, Sheet, Tube, Union


def rotation(rng: Generator) -> FloatArray:
    """Return a random rotation (3, 3)."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return q.astype(np.float32)


def direction(rng: Generator) -> FloatArray:
    """Return a random unit vector (3,)."""
    v = rng.standard_normal(3)
    return (v / np.linalg.norm(v)).astype(np.float32)


def _bent(rng: Generator, axes: FloatArray, middle: FloatArray, strength: float = 0.35) -> Bent:
    bend = (rng.standard_normal(4) * strength / axes.max()).astype(np.float32)
    return Bent(middle, rotation(rng), axes, bend, float(rng.uniform(0, 0.6)))


def blob(rng: Generator, size: float) -> Shape:
    """Return a bent solid with processes, at times with a bite or a bore."""
    axes = (size * rng.uniform(0.4, 1.0, 3)).astype(np.float32)
    main = _bent(rng, axes, np.zeros(3, dtype=np.float32))
    parts: list[Shape] = [main]
    for _ in range(rng.integers(0, 4)):
        # Processes start at the surface of the main solid.
        start = main.rotation.T @ (direction(rng) * axes) * rng.uniform(0.6, 1.1)
        flat = (0.05, 0.2) if rng.random() < 0.5 else (0.1, 0.35)
        sides = np.array([rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.5), rng.uniform(*flat)])
        parts.append(_bent(rng, (size * sides).astype(np.float32), start.astype(np.float32)))
    united: Shape = Union(parts, float(rng.uniform(0, 0.2)) * size) if len(parts) > 1 else main
    pick = rng.random()
    if pick < 0.2:
        return Carved(united, [_bore(rng, size)])
    if pick < 0.4:
        bite = (size * rng.uniform(0.15, 0.5, 3)).astype(np.float32)
        place = (direction(rng) * size * 0.7).astype(np.float32)
        return Carved(united, [_bent(rng, bite, place)])
    return united


def _bore(rng: Generator, size: float) -> Bent:
    sides = np.array([2.5, rng.uniform(0.15, 0.45), rng.uniform(0.15, 0.45)])
    middle = (0.2 * size * rng.standard_normal(3)).astype(np.float32)
    return _bent(rng, (size * sides).astype(np.float32), middle, strength=0.1)


def ring(rng: Generator, size: float) -> Shape:
    """Return a solid with a bore right through it."""
    axes = (size * rng.uniform(0.5, 1.0, 3)).astype(np.float32)
    return Carved(_bent(rng, axes, np.zeros(3, dtype=np.float32)), [_bore(rng, size)])


def shell(rng: Generator, size: float) -> Shape:
    """Return a hollow solid, at times open on one side."""
    axes = (size * rng.uniform(0.55, 1.0, 3)).astype(np.float32)
    whole = _bent(rng, axes, np.zeros(3, dtype=np.float32), strength=0.15)
    wall = float(np.clip(size * rng.uniform(0.04, 0.18), 1.5, 9))
    opened = []
    if rng.random() < 0.5:
        place = (direction(rng) * axes * rng.uniform(0.8, 1.2)).astype(np.float32)
        opened.append(_bent(rng, (size * rng.uniform(0.3, 0.7, 3)).astype(np.float32), place))
    return Carved(whole, opened, wall)


def plate(rng: Generator, size: float) -> Shape:
    """Return a thin curved plate, at times with a hole or a ridge."""
    sides = (size * np.array([1.0, rng.uniform(0.5, 1.0)])).astype(np.float32)
    made: Shape = Sheet(
        np.zeros(3, dtype=np.float32),
        rotation(rng),
        sides,
        (rng.standard_normal(3) * 0.35 / size).astype(np.float32),
        np.array([rng.uniform(0, 0.08) * size, *rng.uniform(2, 5, 2) / size], dtype=np.float32),
        (rng.uniform(-1, 1, 3) * np.array([0.25, 0.2, 0.1])).astype(np.float32),
        float(np.clip(size * rng.uniform(0.06, 0.25), 2.0, 14)),
    )
    if rng.random() < 0.35:  # a ridge or a thick rim
        made = Union([made, rod(rng, size * 0.7, rng.uniform(0.08, 0.2))], 0.1 * size)
    if rng.random() < 0.25:
        return Carved(made, [_bore(rng, size * 0.6)])
    return made


def _line(rng: Generator, size: float, wander: float, count: int = 9) -> FloatArray:
    """Return a smooth line (count, 3) of extent about 2 ``size`` around the origin."""
    t = np.linspace(-1, 1, count)
    line = np.zeros((count, 3))
    line[:, 0] = t * size
    for axis in (1, 2):
        a, b, c = rng.standard_normal(3) * wander * size
        line[:, axis] = a * (t * t - 0.4) + 0.5 * b * (t**3 - 0.6 * t) + 0.25 * c * np.sin(4 * t)
    return (line @ rotation(rng)).astype(np.float32)


def _along(rng: Generator, line: FloatArray, radius: float) -> Tube:
    """Return a tube along a line, its section elliptic and changing slowly."""
    n = len(line)
    t = np.linspace(0, 1, n)
    swell = 1 + rng.uniform(0, 0.35) * np.sin(t * rng.uniform(2, 8) + rng.uniform(0, 6))
    taper = 1 - rng.uniform(0, 0.5) * t
    flat = rng.uniform(0.4, 1.0)
    radii = radius * np.stack([swell * taper, flat * swell * taper], 1)
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    wide = np.broadcast_to(direction(rng), (n, 3))
    wide = wide - tangent * (wide * tangent).sum(1, keepdims=True)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True) + 1e-6
    return Tube(line, np.maximum(radii, 1.0).astype(np.float32), wide.astype(np.float32))


def rod(rng: Generator, size: float, slender: float | None = None) -> Tube:
    """Return a curved rod; ``slender`` is its radius as a share of its size."""
    slender = rng.uniform(0.05, 0.3) if slender is None else slender
    return _along(rng, _line(rng, size, rng.uniform(0.1, 0.8)), max(size * slender, 1.5))


def bone_like_rod(rng: Generator, size: float) -> Shape:
    """Return a rod with thick ends."""
    line = _line(rng, size, rng.uniform(0.0, 0.15))
    radius = max(size * rng.uniform(0.08, 0.18), 2.0)
    ends = []
    for end in (line[0], line[-1]):
        axes = (radius * rng.uniform(1.2, 2.4, 3)).astype(np.float32)
        ends.append(_bent(rng, axes, end.astype(np.float32)))
    return Union([_along(rng, line, radius), *ends], 0.5 * radius)


def branching(rng: Generator, size: float) -> Shape:
    """Return rods that split, and at times join again: sections split and join along a stack."""
    trunk = _line(rng, size, 0.3)
    radius = max(size * rng.uniform(0.08, 0.22), 2.0)
    parts: list[Shape] = [_along(rng, trunk, radius)]
    for _ in range(rng.integers(1, 4)):
        start = trunk[rng.integers(1, len(trunk) - 1)]
        if rng.random() < 0.4:  # a handle: leaves the trunk and comes back
            stop = trunk[rng.integers(0, len(trunk))]
            bow = direction(rng) * size * rng.uniform(0.3, 0.8)
        else:
            stop = start + direction(rng) * size * rng.uniform(0.5, 1.1)
            bow = direction(rng) * size * rng.uniform(0, 0.3)
        t = np.linspace(0, 1, 7)[:, None]
        line = start + (stop - start) * t + bow * 4 * t * (1 - t)
        # Where a branch comes back to its own start there is no line to follow.
        line = line + 1e-3 * rng.standard_normal(line.shape)
        parts.append(_along(rng, line.astype(np.float32), radius * rng.uniform(0.5, 0.95)))
    return Union(parts, 0.6 * radius)


def lump(rng: Generator, size: float) -> Shape:
    """Return a rounded lump as organs are: a few bent solids melted into one."""
    parts: list[Shape] = []
    for _ in range(rng.integers(2, 5)):
        axes = (size * rng.uniform(0.4, 0.8, 3)).astype(np.float32)
        middle = (direction(rng) * size * rng.uniform(0, 0.55)).astype(np.float32)
        solid = _bent(rng, axes, middle, strength=0.25)
        parts.append(Bent(solid.middle, solid.rotation, solid.axes, solid.bend, 0.15))
    return Union(parts, 0.6 * size)


def joined(rng: Generator, size: float) -> Shape:
    """Return solids of unlike kinds, one after the other along the stack and melted into one.

    Sections go over from those of one kind to those of the next, and what no outline shows comes in
    from the side.
    """
    parts: list[Shape] = []
    at = np.zeros(3, dtype=np.float32)
    heading = rng.choice([-1.0, 1.0])
    for _ in range(rng.integers(2, 5)):
        make = PARTS[rng.integers(len(PARTS))]
        part = make(rng, size * rng.uniform(0.35, 0.75))
        parts.append(Placed(part, np.eye(3, dtype=np.float32), 1.0, at - part.centre))
        along = rng.standard_normal(3) * np.array([0.8, 0.8, 0.5]) + np.array([0, 0, heading])
        along /= np.linalg.norm(along)
        at = at + (along * part.reach * rng.uniform(0.4, 0.9)).astype(np.float32)
    return Union(parts, float(rng.uniform(0.02, 0.2)) * size)


PARTS = (blob, ring, plate, plate, rod, bone_like_rod, lump)
"""Of which `joined` is made."""

KINDS: dict[str, tuple[Callable[[Generator, float], Shape], float, tuple[float, float]]] = {
    "blob": (blob, 0.22, (12, 80)),
    "ring": (ring, 0.08, (15, 60)),
    "shell": (shell, 0.08, (20, 90)),
    "plate": (plate, 0.17, (15, 90)),
    "rod": (rod, 0.17, (25, 150)),
    "bone-like rod": (bone_like_rod, 0.08, (30, 150)),
    "branching": (branching, 0.08, (25, 90)),
    "lump": (lump, 0.12, (12, 90)),
    "joined": (joined, 0.0, (20, 110)),
}
"""Name -> what makes it, how often it is a target, least and greatest size in mm.

"joined" is a target only where it is asked for.
"""
