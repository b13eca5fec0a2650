"""Solids given by signed distances in millimetres, negative inside: what scenes are built of.

Points are (3, P) float32 arrays, x, y and z in mm. Distances are right at the surface and of the
right order near it; far away only their sign can be relied on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

FAR_MM = 1e3
"""Distance given to what lies out of a shape's reach."""


class Shape(ABC):
    """A solid with a sphere that holds it."""

    @property
    @abstractmethod
    def centre(self) -> FloatArray:
        """Centre (3,) of the sphere, mm."""

    @property
    @abstractmethod
    def reach(self) -> float:
        """Radius of the sphere, mm."""

    @abstractmethod
    def distance(self, points: FloatArray) -> FloatArray:
        """Return the signed distance (P,) in mm at ``points`` (3, P)."""

    def inside(self, points: FloatArray) -> NDArray[np.bool_]:
        """Tell which points (3, P) lie inside: (P,) bool."""
        return self.distance(points) < 0


@dataclass(frozen=True, eq=False)
class Bent(Shape):
    """An ellipsoid on its way to a box, bent.

    Parameters
    ----------
    middle
        (3,) mm.
    rotation
        (3, 3), its rows are the solid's axes.
    axes
        (3,) semi-axes, mm.
    bend
        (4,) 1/mm: how far z is lifted by x², y² and xy, and y by x².
    square
        0 for an ellipsoid to 1 for a box.
    """

    middle: FloatArray
    rotation: FloatArray
    axes: FloatArray
    bend: FloatArray
    square: float = 0.0

    @cached_property
    def centre(self) -> FloatArray:
        """See `Shape.centre`."""
        return self.middle

    @cached_property
    def reach(self) -> float:
        """See `Shape.reach`; bending reaches out further than the axes say."""
        a, b, c = (float(x) for x in self.axes)
        lift = abs(self.bend[0]) * a * a + abs(self.bend[1]) * b * b + abs(self.bend[2]) * a * b
        side = b + abs(self.bend[3]) * a * a
        return float(np.sqrt(a * a + side * side + (c + lift) ** 2)) * 1.05

    def distance(self, points: FloatArray) -> FloatArray:
        """See `Shape.distance`."""
        x, y, z = self.rotation @ (points - self.middle[:, None])
        xx = x * x
        z = z + self.bend[0] * xx + self.bend[1] * (y * y) + self.bend[2] * (x * y)
        y = y + self.bend[3] * xx
        u, v, w = (np.abs(c / a) for c, a in zip((x, y, z), self.axes, strict=True))
        rounded = np.sqrt(u * u + v * v + w * w)
        boxed = np.maximum(np.maximum(u, v), w)
        scale = np.float32(self.axes.min())
        return scale * (rounded + np.float32(self.square) * (boxed - rounded) - 1)


@dataclass(frozen=True, eq=False)
class Tube(Shape):
    """A rod along a line of nodes, of elliptic section.

    Parameters
    ----------
    nodes
        (n, 3) mm, two or more.
    radii
        (n, 2) mm, along ``wide`` and across it.
    wide
        (n, 3) unit vectors across the line.
    """

    nodes: FloatArray
    radii: FloatArray
    wide: FloatArray

    @cached_property
    def centre(self) -> FloatArray:
        """See `Shape.centre`."""
        middle: FloatArray = (self.nodes.max(0) + self.nodes.min(0)) / 2
        return middle

    @cached_property
    def reach(self) -> float:
        """See `Shape.reach`."""
        away = np.linalg.norm(self.nodes - self.centre, axis=1).max()
        return float(away + self.radii.max())

    def distance(self, points: FloatArray) -> FloatArray:
        """See `Shape.distance`."""
        best = np.full(points.shape[1], FAR_MM, dtype=np.float32)
        for i in range(len(self.nodes) - 1):
            start, line = self.nodes[i], self.nodes[i + 1] - self.nodes[i]
            away = points - start[:, None]
            along = (line @ away / np.float32(line @ line)).clip(0, 1)  # (P,)
            away -= line[:, None] * along
            broad, narrow = (
                self.radii[i, k] + (self.radii[i + 1, k] - self.radii[i, k]) * along for k in (0, 1)
            )
            u = self.wide[i] @ away
            rest = np.maximum(np.einsum("ip,ip->p", away, away) - u * u, 0)
            q = np.sqrt((u / broad) ** 2 + rest / (narrow * narrow))
            np.minimum(best, (q - 1) * np.minimum(broad, narrow), out=best)
        return best


@dataclass(frozen=True, eq=False)
class Sheet(Shape):
    """A thin curved plate with a wavy rim.

    Parameters
    ----------
    middle, rotation
        As of `Bent`; the plate lies across its third axis.
    sides
        (2,) semi-axes of the rim, mm.
    bend
        (3,) 1/mm: height over x², y² and xy.
    ripple
        (3,) height of waves over the plate in mm, and their two frequencies in rad/mm.
    rim
        (3,) how far the rim goes in and out as a share of its radius, of 2, 3 and 5 waves around.
    thickness
        mm.
    uneven
        How much thicker and thinner it is in places, as a share.
    """

    middle: FloatArray
    rotation: FloatArray
    sides: FloatArray
    bend: FloatArray
    ripple: FloatArray
    rim: FloatArray
    thickness: float
    uneven: float = 0.3

    @cached_property
    def centre(self) -> FloatArray:
        """See `Shape.centre`."""
        return self.middle

    @cached_property
    def reach(self) -> float:
        """See `Shape.reach`."""
        a, b = (float(s) * (1 + float(np.abs(self.rim).sum())) for s in self.sides)
        lift = abs(self.bend[0]) * a * a + abs(self.bend[1]) * b * b + abs(self.bend[2]) * a * b
        lift += abs(float(self.ripple[0])) + self.thickness
        return float(np.sqrt(a * a + b * b + lift * lift))

    def distance(self, points: FloatArray) -> FloatArray:
        """See `Shape.distance`."""
        x, y, z = self.rotation @ (points - self.middle[:, None])
        angle = np.arctan2(y / self.sides[1], x / self.sides[0])
        edge = 1 + sum(
            share * np.cos(waves * angle + waves)
            for share, waves in zip(self.rim, (2, 3, 5), strict=True)
        )
        q = np.sqrt((x / self.sides[0]) ** 2 + (y / self.sides[1]) ** 2) / np.maximum(edge, 0.2)
        wave = self.ripple[0] * np.sin(self.ripple[1] * x + 1) * np.sin(self.ripple[2] * y + 2)
        height = self.bend[0] * x * x + self.bend[1] * y * y + self.bend[2] * x * y + wave
        steep = np.hypot(
            2 * self.bend[0] * x + self.bend[2] * y, 2 * self.bend[1] * y + self.bend[2] * x
        )
        half = self.thickness / 2 * (1 + self.uneven * np.sin(3 * angle + 4 * q))
        across = np.abs(z - height) / np.sqrt(1 + steep * steep) - half
        return np.maximum(across, (q - 1) * self.sides.min()).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Union(Shape):
    """Several shapes as one, their joints rounded.

    Parameters
    ----------
    parts
        One or more.
    rounding_mm
        How far around a joint it is filled; 0 leaves it sharp.
    """

    parts: Sequence[Shape]
    rounding_mm: float = 0.0

    @cached_property
    def centre(self) -> FloatArray:
        """See `Shape.centre`."""
        low = np.min([part.centre - part.reach for part in self.parts], axis=0)
        high = np.max([part.centre + part.reach for part in self.parts], axis=0)
        return ((low + high) / 2).astype(np.float32)

    @cached_property
    def reach(self) -> float:
        """See `Shape.reach`."""
        away = (np.linalg.norm(part.centre - self.centre) + part.reach for part in self.parts)
        return float(max(away)) + self.rounding_mm / 4

    def distance(self, points: FloatArray) -> FloatArray:
        """See `Shape.distance`."""
        found = self.parts[0].distance(points)
        for part in self.parts[1:]:
            other = part.distance(points)
            if self.rounding_mm > 0:
                near = np.maximum(self.rounding_mm - np.abs(found - other), 0)
                found = np.minimum(found, other) - near * near / np.float32(4 * self.rounding_mm)
            else:
                found = np.minimum(found, other)
        return found


@dataclass(frozen=True, eq=False)
class Carved(Shape):
    """A shape less others; ``wall_mm`` above 0 hollows it first."""

    whole: Shape
    tools: Sequence[Shape] = ()
    wall_mm: float = 0.0

    @cached_property
    def centre(self) -> FloatArray:
        """See `Shape.centre`."""
        return self.whole.centre

    @cached_property
    def reach(self) -> float:
        """See `Shape.reach`."""
        return self.whole.reach

    def distance(self, points: FloatArray) -> FloatArray:
        """See `Shape.distance`."""
        found = self.whole.distance(points)
        if self.wall_mm > 0:
            half = np.float32(self.wall_mm / 2)
            found = np.abs(found + half) - half
        for tool in self.tools:
            found = np.maximum(found, -tool.distance(points))
        return found


@dataclass(frozen=True, eq=False)
class Placed(Shape):
    """A shape turned, scaled and moved.

    Parameters
    ----------
    shape
        What is placed.
    rotation
        (3, 3), from the shape's own frame to the scene's.
    scale
        Above 0.
    offset
        (3,) mm: where the shape's own origin comes to lie.
    """

    shape: Shape
    rotation: FloatArray
    scale: float
    offset: FloatArray

    @cached_property
    def centre(self) -> FloatArray:
        """See `Shape.centre`."""
        turned = self.rotation @ self.shape.centre * np.float32(self.scale) + self.offset
        return turned.astype(np.float32)

    @cached_property
    def reach(self) -> float:
        """See `Shape.reach`."""
        return self.shape.reach * self.scale

    def distance(self, points: FloatArray) -> FloatArray:
        """See `Shape.distance`."""
        own: FloatArray = self.rotation.T @ (points - self.offset[:, None])
        own = own / np.float32(self.scale)
        return self.shape.distance(own) * np.float32(self.scale)


def span_mm(shape: Shape, direction: FloatArray, rng: np.random.Generator) -> tuple[float, float]:
    """Return where a shape begins and ends along a unit vector (3,), from points inside it."""
    cube = rng.uniform(-1, 1, (3, 4000)).astype(np.float32)
    points = shape.centre[:, None] + shape.reach * cube
    held = points[:, shape.inside(points)]
    if held.shape[1] < 8:  # too thin to be hit
        middle = float(direction @ shape.centre)
        return middle - shape.reach / 2, middle + shape.reach / 2
    along = direction @ held
    return float(along.min()), float(along.max())
