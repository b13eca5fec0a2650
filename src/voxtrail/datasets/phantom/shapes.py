"""Signed-distance primitives and their unions, the clay of the phantom's bones and organs.

A shape is a function from points to a signed distance: negative inside, positive outside,
in the unit of the points (mm). Distances are exact for balls, capsules and plates and good
near the surface for ellipsoids and blends, which is where partial volume and cortex look.
Everything is elementwise float64: results do not depend on threads, and rounding to whole
HU hides the last bits in which processors differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Vec = tuple[float, float, float]

_TINY = 1e-6


@dataclass(frozen=True)
class Points:
    """Sample positions; three arrays of one shape, in mm.

    Attributes
    ----------
    x, y, z : float64 arrays
        Towards the patient's right, front and head (RAS). In bones that exist on both
        sides x counts from the midline outwards (see `mirrored`).
    """

    x: Array
    y: Array
    z: Array

    def within(self, box: tuple[slice, slice, slice]) -> Points:
        """Return the points of a box of voxels."""
        return Points(self.x[box], self.y[box], self.z[box])

    def chosen(self, where: NDArray[np.bool_]) -> Points:
        """Return the points marked by a mask, as flat arrays."""
        return Points(self.x[where], self.y[where], self.z[where])

    def mirrored(self, side: int) -> Points:
        """Make x count outwards on the right (+1) or left (-1) side."""
        return Points(self.x * side, self.y, self.z)

    def moved(self, origin: Vec) -> Points:
        """Take `origin` as the new zero."""
        return Points(self.x - origin[0], self.y - origin[1], self.z - origin[2])

    def turned(self, rotation: Array) -> Points:
        """Coordinates in a frame whose axes are the rows of `rotation` (3x3)."""
        x, y, z = (row[0] * self.x + row[1] * self.y + row[2] * self.z for row in rotation)
        return Points(x, y, z)


def rotation(pitch: float, roll: float, yaw: float) -> Array:
    """3x3 rotation about x (pitch), then y (roll), then z (yaw); radians."""
    cp, sp, cr, sr, cy, sy = (f(a) for a in (pitch, roll, yaw) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    turn: Array = about_z @ about_y @ about_x
    return turn


def ball(p: Points, centre: Vec, radius: float) -> Array:
    """Distance to a sphere."""
    q = p.moved(centre)
    return np.sqrt(q.x**2 + q.y**2 + q.z**2) - radius


def ellipsoid(p: Points, centre: Vec, radii: Vec) -> Array:
    """First-order distance to an ellipsoid along the axes."""
    q = p.moved(centre)
    sx, sy, sz = q.x / radii[0], q.y / radii[1], q.z / radii[2]
    level = np.sqrt(sx**2 + sy**2 + sz**2) + _TINY
    slope = np.sqrt((sx / radii[0]) ** 2 + (sy / radii[1]) ** 2 + (sz / radii[2]) ** 2)
    return level * (level - 1) / (slope + _TINY / min(radii))


def ellipse(u: Array, v: Array, radius_u: Array | float, radius_v: Array | float) -> Array:
    """First-order distance to an ellipse in a plane, so to an endless elliptic cylinder."""
    su, sv = u / radius_u, v / radius_v
    level = np.sqrt(su**2 + sv**2) + _TINY
    slope = np.sqrt((su / radius_u) ** 2 + (sv / radius_v) ** 2)
    return level * (level - 1) / (slope + _TINY / np.minimum(radius_u, radius_v))


def capsule(p: Points, a: Vec, b: Vec, radius_a: float, radius_b: float) -> Array:
    """Distance to a round rod from `a` to `b` whose radius changes evenly."""
    q = p.moved(a)
    along = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
    length2 = along[0] ** 2 + along[1] ** 2 + along[2] ** 2
    t = np.clip((q.x * along[0] + q.y * along[1] + q.z * along[2]) / length2, 0, 1)
    gap2 = (q.x - t * along[0]) ** 2 + (q.y - t * along[1]) ** 2 + (q.z - t * along[2]) ** 2
    return np.sqrt(gap2) - (radius_a + t * (radius_b - radius_a))


def tube(p: Points, path: Sequence[Vec], radii: Sequence[float], blend: float = 3.0) -> Array:
    """Distance to rods joined end to end along `path`, one radius a point."""
    rods = [capsule(p, path[n], path[n + 1], radii[n], radii[n + 1]) for n in range(len(path) - 1)]
    return union(*rods, blend=blend)


def box(p: Points, centre: Vec, half: Vec, rounding: float) -> Array:
    """Distance to a box along the axes with rounded edges; `half` includes the rounding."""
    q = p.moved(centre)
    return corner(
        np.abs(q.x) - half[0], np.abs(q.y) - half[1], np.abs(q.z) - half[2], rounding=rounding
    )


def corner(*sides: Array, rounding: float) -> Array:
    """Keep what lies in all of several shapes at right angles, with edges of that radius."""
    raised = [side + rounding for side in sides]
    outside2, deepest = np.maximum(raised[0], 0) ** 2, raised[0]
    for side in raised[1:]:
        outside2, deepest = outside2 + np.maximum(side, 0) ** 2, np.maximum(deepest, side)
    distance: Array = np.sqrt(outside2) + np.minimum(deepest, 0) - rounding
    return distance


def fade(along: Array, at: float, width: float) -> Array:
    """Fall from 1 to 0 where `along` passes `at`, over about four times `width`."""
    share: Array = 1 / (1 + np.exp((along - at) / width))
    return share


def plate(p: Points, a: Vec, b: Vec, c: Vec, half_thickness: float) -> Array:
    """Distance to a triangle thickened on both sides, with round edges."""
    corners = [np.array(v) for v in (a, b, c)]
    normal = np.cross(corners[1] - corners[0], corners[0] - corners[2])
    edge2 = np.full(p.x.shape, np.inf)
    over = np.ones(p.x.shape, dtype=bool)
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        edge, q = end - start, p.moved((start[0], start[1], start[2]))
        inward = np.cross(edge, normal)
        over &= q.x * inward[0] + q.y * inward[1] + q.z * inward[2] >= 0
        t = np.clip((q.x * edge[0] + q.y * edge[1] + q.z * edge[2]) / (edge @ edge), 0, 1)
        gap2 = (q.x - t * edge[0]) ** 2 + (q.y - t * edge[1]) ** 2 + (q.z - t * edge[2]) ** 2
        edge2 = np.minimum(edge2, gap2)
    q = p.moved(a)
    face2 = (q.x * normal[0] + q.y * normal[1] + q.z * normal[2]) ** 2 / (normal @ normal)
    return np.sqrt(np.where(over, face2, edge2)) - half_thickness


def union(*shapes: Array, blend: float = 0.0) -> Array:
    """Join shapes; `blend` mm rounds the crease between them."""
    joined = shapes[0]
    for shape in shapes[1:]:
        near = np.minimum(joined, shape)
        if blend > 0:
            near = near - np.maximum(blend - np.abs(joined - shape), 0) ** 2 / (4 * blend)
        joined = near
    return joined


def common(*shapes: Array, blend: float = 0.0) -> Array:
    """Keep what lies in all shapes; `blend` mm rounds the edge."""
    return -union(*(-shape for shape in shapes), blend=blend)


def carve(shape: Array, *holes: Array, blend: float = 0.0) -> Array:
    """Take holes out of a shape; `blend` mm rounds the rim."""
    return common(shape, *(-hole for hole in holes), blend=blend)


def profile(z: Array, knots: Sequence[float], values: Sequence[float]) -> Array:
    """Interpolate a table along z; constant beyond its ends. Knots must increase."""
    return np.interp(z, knots, values)
